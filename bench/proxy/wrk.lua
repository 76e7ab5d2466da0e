-- What does each request of wrk look like, and what comes out? BODY in, one line of JSON out.
wrk.method = 'POST'
wrk.path = '/rag'
wrk.headers['Content-Type'] = 'application/json'
wrk.body = os.getenv('BODY')

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50Ms":%.3f,"p99Ms":%.3f,"failed":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
