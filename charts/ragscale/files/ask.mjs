// Does the system answer? `helm test` asks a question through the proxy and checks the answer.
const { RAGSCALE_URL, QUESTION, EXPECT, API_KEY } = process.env;
const response = await fetch(`${RAGSCALE_URL}/rag`, {
  method: 'POST',
  headers: { 'content-type': 'application/json', ...(API_KEY && { authorization: `Bearer ${API_KEY}` }) },
  body: JSON.stringify({ query: QUESTION }),
  signal: AbortSignal.timeout(120_000),
});
const text = await response.text();
if (!response.ok) throw new Error(`${response.status}: ${text}`);
const { query, result, sources } = JSON.parse(text);
if (query !== QUESTION || typeof result !== 'string' || !Array.isArray(sources)) throw new Error(`no answer: ${text}`);
if (result.trim() === '' || !new RegExp(EXPECT, 'i').test(result))
  throw new Error(`expected ${EXPECT} in the answer: ${text}`);
console.log(`${QUESTION}\n${result}`);
