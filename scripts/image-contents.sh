#!/bin/sh
# What of a build does an image need? In the Dockerfile: takes the packages of one app in /app and what was compiled of every workspace
# in /compiled, and leaves in /image what runs, with the same rights and times wherever and whenever it was built.
set -eu

mkdir -p /image/modules/app /image/code/app
cd /app

# npm linked the workspaces that the app depends on, and no others.
for link in node_modules/@ragscale/*; do
  workspace=$(readlink -f "$link")
  workspace=${workspace#/app/}
  (cd /compiled && find "$workspace/package.json" "$workspace/dist" -type f ! -name '*.map' ! -name '*.d.ts' -exec cp --parents --target-directory=/image/code/app {} +)
done

# Of use to compilers, debuggers and npm only.
rm -rf node_modules/.bin node_modules/.package-lock.json node_modules/@types
find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete
find node_modules -type d -empty -delete
mv node_modules /image/modules/app

chmod -R u=rwX,go=rX /image
find /image -exec touch --no-dereference --date=@0 {} +
