/**
 * What ends a process that is told to end before it listens to signals? Loaded first, by `node --import`: as the first process of a
 * container it would be deaf for as long as its modules load, and then run until it is killed.
 */
function endUnlessHeard(signal: NodeJS.Signals): void {
  // The only listener: nobody has begun what would have to be ended in order. What was interrupted is no failure.
  if (process.listenerCount(signal) === 1) process.exit(0);
}

process.on('SIGTERM', endUnlessHeard);
process.on('SIGINT', endUnlessHeard);
