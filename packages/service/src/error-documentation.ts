/** docs/errors.md, rendered from the catalogue. */
import { ERRORS, type ErrorEntry } from './error-catalogue.ts';

/** The whole page in Markdown. */
export function renderErrorPage(): string {
  const rows = Object.entries<ErrorEntry>(ERRORS).map(
    ([code, entry]) =>
      `| ${entry.status} | \`${code}\` | \`${entry.type}\` | ${entry.meaning}${entry.retryAfterSeconds === undefined ? '' : ' Carries `Retry-After`.'} |`,
  );
  return `# Errors

Every error of every ragscale server has one shape, the one that OpenAI's clients read:

    {"error": {"message": "k: must be an integer from 1 to 20", "type": "invalid_request_error", "code": "invalid_request", "param": "k"}}

\`code\` is for programs, \`message\` for people, \`param\` names the field or header at fault or is null. Answers carry the
\`X-Request-Id\` under which the server's log has the request (all but \`malformed_http\`, \`headers_too_large\` and
\`request_timeout\`, which can come before any header was read). No error carries a stack trace.

| status | code | type | meaning |
|---|---|---|---|
${rows.join('\n')}

This page is rendered from \`packages/service/src/error-catalogue.ts\`; a test keeps it so (\`npx vitest run packages/service -u\` renders it again).
`;
}
