# The images of ragscale, as the targets rag, rag-cuda, proxy and autoscaler. docs/images.md says how to build and run them.
#
#     docker build --target proxy --tag ragscale/proxy .

# Debian with Node and npm. It builds; of it, the images hold Node, the C and C++ libraries and nothing else.
ARG BASE=docker.io/library/node:24.21.0-bookworm-slim
# What rag-cuda stands on: CUDA 12 and cuDNN 9, as this release of ONNX Runtime wants them.
ARG CUDA_BASE=docker.io/nvidia/cuda:12.9.1-cudnn-runtime-ubuntu24.04

# Every file has the time 0, so that a layer is another only where its files are: nothing is built, pushed or pulled again for a date.

# ---------------------------------------------------------------- the system: no shell, no package manager, no npm

FROM ${BASE} AS system
COPY LICENSE /system/app/LICENSE
RUN set -eu; mkdir -p /system/etc /system/usr/lib /system/usr/local/bin /system/var/lib/dpkg/status.d && mkdir -m 1777 /system/tmp; \
    for folder in lib lib64; do if [ -L /$folder ]; then ln -s usr/$folder /system/$folder; fi; done; \
    for package in libc6 libgcc-s1 libstdc++6; do \
      for file in $(dpkg -L $package | grep -E '\.so(\.[0-9.]+)?$' | grep -v -E '/(gconv|audit)/'); do \
        folder=$(realpath $(dirname $file)); mkdir -p /system$folder; cp -a $file /system$folder; \
      done; \
      # Where scanners look for what is in an image.
      dpkg-query --status $package >/system/var/lib/dpkg/status.d/$package; \
      install -D -m 644 /usr/share/doc/$package/copyright /system/usr/share/doc/$package/copyright; \
    done; \
    cp -L /etc/os-release /system/etc/os-release; \
    cp -L "$(command -v node)" /system/usr/local/bin/node; \
    echo 'hosts: files dns' >/system/etc/nsswitch.conf; \
    echo 'ragscale:x:10001:10001::/tmp:/sbin/nologin' >/system/etc/passwd; \
    echo 'ragscale:x:10001:' >/system/etc/group; \
    chmod 644 /system/app/LICENSE; \
    find /system -exec touch --no-dereference --date=@0 {} +

FROM scratch AS base
COPY --from=system /system /
ENV PATH=/usr/local/bin HOME=/tmp NODE_ENV=production
WORKDIR /app
USER 10001:10001

# ---------------------------------------------------------------- what is asked of npm: the lock file and every package.json

FROM ${BASE} AS manifests
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages packages
COPY apps apps
RUN find packages apps -type f ! -name package.json -delete && find packages apps -type d -empty -delete \
 && chmod -R u=rwX,go=rX . && find . -exec touch --no-dereference --date=@0 {} +

# ---------------------------------------------------------------- the packages of each app
# Another registry comes as the secret `npmrc`, its authority as the secret `npm-ca`; neither stays. No package runs a script of its own.

FROM ${BASE} AS dependencies
ENV npm_config_ignore_scripts=true npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false npm_config_progress=false
WORKDIR /app
COPY --from=manifests /app ./

FROM dependencies AS rag-modules
RUN --mount=type=cache,target=/root/.npm,sharing=locked \
    --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=npm-ca,target=/run/secrets/npm-ca \
    npm ci --omit=dev --workspace=apps/rag
# ONNX Runtime's package holds the library of every system; kept is that of this one.
RUN cd node_modules/onnxruntime-node/bin/napi-v6 && this=linux/$(node -p process.arch) \
 && find . -mindepth 2 -maxdepth 2 ! -path ./$this -exec rm -r {} + && find . -type d -empty -delete && test -e $this/libonnxruntime.so.1

# The part of ONNX Runtime that knows CUDA is no part of its package: its own script fetches the same version from NuGet, and silently does nothing
# where there is none for this processor. CUDA_PROVIDER=skip leaves it out.
FROM rag-modules AS rag-cuda-modules
ARG CUDA_PROVIDER=cuda12
RUN --mount=type=secret,id=npm-ca,target=/run/secrets/npm-ca \
    NODE_EXTRA_CA_CERTS=/run/secrets/npm-ca ONNXRUNTIME_NODE_INSTALL=$CUDA_PROVIDER node node_modules/onnxruntime-node/script/install.js \
 && rm -f node_modules/onnxruntime-node/bin/napi-v6/linux/*/libonnxruntime_providers_tensorrt.so \
 && if [ "$CUDA_PROVIDER" != skip ]; then test -e node_modules/onnxruntime-node/bin/napi-v6/linux/$(node -p process.arch)/libonnxruntime_providers_cuda.so; fi

FROM dependencies AS proxy-modules
RUN --mount=type=cache,target=/root/.npm,sharing=locked \
    --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=npm-ca,target=/run/secrets/npm-ca \
    npm ci --omit=dev --workspace=apps/proxy

FROM dependencies AS autoscaler-modules
RUN --mount=type=cache,target=/root/.npm,sharing=locked \
    --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=npm-ca,target=/run/secrets/npm-ca \
    npm ci --omit=dev --workspace=apps/autoscaler

# ---------------------------------------------------------------- what was written here, compiled

FROM dependencies AS compile
RUN --mount=type=cache,target=/root/.npm,sharing=locked \
    --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=npm-ca,target=/run/secrets/npm-ca \
    npm ci
COPY tsconfig.base.json ./
COPY packages packages
COPY apps apps
RUN node_modules/.bin/tsc -b apps/rag apps/proxy apps/autoscaler

FROM scratch AS compiled
COPY --from=compile /app/packages /packages
COPY --from=compile /app/apps /apps

FROM ${BASE} AS models
COPY models/embedded /models/app/models/embedded
RUN chmod -R u=rwX,go=rX /models && find /models -exec touch --no-dereference --date=@0 {} +

# ---------------------------------------------------------------- what runs: /image/modules and /image/code

FROM rag-modules AS rag-contents
COPY scripts/image-contents.sh /
COPY --from=compiled / /compiled
RUN sh /image-contents.sh

FROM rag-cuda-modules AS rag-cuda-contents
COPY scripts/image-contents.sh /
COPY --from=compiled / /compiled
RUN sh /image-contents.sh

FROM proxy-modules AS proxy-contents
COPY scripts/image-contents.sh /
COPY --from=compiled / /compiled
RUN sh /image-contents.sh

FROM autoscaler-modules AS autoscaler-contents
COPY scripts/image-contents.sh /
COPY --from=compiled / /compiled
RUN sh /image-contents.sh

# ---------------------------------------------------------------- the images

FROM ${CUDA_BASE} AS rag-cuda
LABEL org.opencontainers.image.title="ragscale rag-cuda" \
      org.opencontainers.image.description="A pod of ragscale for NVIDIA GPUs: embeds, retrieves and generates" \
      org.opencontainers.image.version="0.1.0" org.opencontainers.image.licenses="Apache-2.0"
COPY --from=system /system/usr/local /usr/local
COPY --from=models /models /
COPY --from=rag-cuda-contents /image/modules /
COPY --from=rag-cuda-contents /image/code /
ENV HOME=/tmp NODE_ENV=production
WORKDIR /app
USER 10001:10001
EXPOSE 8000
ENTRYPOINT ["node", "--import", "@ragscale/service/early-termination", "apps/rag/dist/main.js"]

FROM base AS autoscaler
LABEL org.opencontainers.image.title="ragscale autoscaler" \
      org.opencontainers.image.description="Holds the latency that a LatencyAutoscaler names by setting the number of pods" \
      org.opencontainers.image.version="0.1.0" org.opencontainers.image.licenses="Apache-2.0"
COPY --from=autoscaler-contents /image/modules /
COPY --from=autoscaler-contents /image/code /
EXPOSE 9100
ENTRYPOINT ["node", "--import", "@ragscale/service/early-termination", "apps/autoscaler/dist/main.js"]

FROM base AS proxy
LABEL org.opencontainers.image.title="ragscale proxy" \
      org.opencontainers.image.description="Spreads requests over pods of ragscale and loses none when one goes" \
      org.opencontainers.image.version="0.1.0" org.opencontainers.image.licenses="Apache-2.0"
COPY --from=proxy-contents /image/modules /
COPY --from=proxy-contents /image/code /
EXPOSE 9000 9001
ENTRYPOINT ["node", "--max-semi-space-size=8", "--import", "@ragscale/service/early-termination", "apps/proxy/dist/main.js"]

FROM base AS rag
LABEL org.opencontainers.image.title="ragscale rag" \
      org.opencontainers.image.description="A pod of ragscale: embeds, retrieves and generates, with two small models" \
      org.opencontainers.image.version="0.1.0" org.opencontainers.image.licenses="Apache-2.0"
COPY --from=models /models /
COPY --from=rag-contents /image/modules /
COPY --from=rag-contents /image/code /
EXPOSE 8000
ENTRYPOINT ["node", "--import", "@ragscale/service/early-termination", "apps/rag/dist/main.js"]
