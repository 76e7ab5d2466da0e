/** GET /docs: the OpenAPI document as a page to try, all of it from this server. */
import fastifySwagger from '@fastify/swagger';
import fastifySwaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { openApiDocument } from './openapi.ts';

/** The page may load from and talk to this server only; its pictures are inline, and so are its style attributes. */
const CONTENT_SECURITY_POLICY = {
  'default-src': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'style-src': ["'self'", "'unsafe-inline'"],
  'object-src': ["'none'"],
  'frame-ancestors': ["'none'"],
};

/** Adds /docs and /openapi.json. */
export async function serveDocs(fastify: FastifyInstance): Promise<void> {
  const document = openApiDocument();
  await fastify.register(fastifySwagger, {
    mode: 'static',
    // Its types want an enumerated literal for every keyword; what zod writes is typed as plain JSON Schema.
    specification: { document: document as never },
  });
  await fastify.register(fastifySwaggerUi, {
    routePrefix: '/docs',
    staticCSP: CONTENT_SECURITY_POLICY,
    theme: { title: 'ragscale' },
    uiConfig: { layout: 'BaseLayout', tryItOutEnabled: true, displayRequestDuration: true, validatorUrl: null },
  });
  fastify.get('/openapi.json', () => document);
}
