/** Tells a path that does not exist from a method that it does not take. */
import { ServiceError } from '@ragscale/service/error-catalogue';
import type { FastifyInstance, FastifyRequest } from 'fastify';

export class RouteTable {
  readonly #methods = new Map<string, Set<string>>();

  /** Call before routes are added. */
  observe(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', ({ url, method }) => {
      const methods = this.#methods.get(url) ?? new Set();
      for (const name of [method].flat()) methods.add(name);
      this.#methods.set(url, methods);
    });
  }

  /** The error for a request that no route took. */
  missing(request: FastifyRequest): ServiceError {
    const path = request.url.split('?', 1)[0] ?? '';
    const methods = this.#methods.get(path) ?? this.#ofWildcard(path);
    if (methods === undefined || methods.has(request.method)) return new ServiceError('not_found', {});
    const allowed = [...methods].sort().join(', ');
    return new ServiceError('method_not_allowed', { allowed }, { headers: { allow: allowed } });
  }
  #ofWildcard(path: string): Set<string> | undefined {
    const pattern = [...this.#methods.keys()].find((url) => url.endsWith('/*') && path.startsWith(url.slice(0, -1)));
    return pattern === undefined ? undefined : this.#methods.get(pattern);
  }
}
