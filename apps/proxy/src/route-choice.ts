/** Which route does a request take? The one that it names, or one by weight: so variants can be compared under the same load. */
import type { IncomingHttpHeaders } from 'node:http';
import { ServiceError } from '@ragscale/service/error-catalogue';
import { VARIANT_HEADER } from '@ragscale/service/ragscale-headers';
import type { Route } from './route.ts';

export interface ChosenRoute {
  readonly route: Route;
  /** The request names a route that is not there; it counts as one of `route`. */
  readonly error?: ServiceError;
}

export class RouteChoice {
  readonly #routes: readonly Route[];
  readonly #random: () => number;
  readonly #weights: number;

  /** @param routes at least one, with a weight over 0 among them */
  constructor(routes: readonly Route[], random: () => number) {
    this.#routes = routes;
    this.#random = random;
    this.#weights = routes.reduce((sum, { weight }) => sum + weight, 0);
  }

  choose(headers: IncomingHttpHeaders): ChosenRoute {
    const named = headers[VARIANT_HEADER];
    if (named === undefined) return { route: this.#byWeight() };
    const route = this.#routes.find(({ name }) => name === named);
    if (route !== undefined) return { route };
    const detail = `X-Ragscale-Variant: must be one of ${this.#routes.map(({ name }) => name).join(', ')}`;
    return {
      route: this.#byWeight(),
      error: new ServiceError('invalid_request', { detail }, { param: 'X-Ragscale-Variant' }),
    };
  }

  #byWeight(): Route {
    const [first] = this.#routes;
    if (this.#routes.length === 1) return first!;
    let at = this.#random() * this.#weights;
    for (const route of this.#routes) {
      at -= route.weight;
      if (at < 0) return route;
    }
    return this.#routes.findLast(({ weight }) => weight > 0) ?? first!;
  }
}
