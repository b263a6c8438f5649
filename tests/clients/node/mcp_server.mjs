// A small server of the Model Context Protocol, which is a resource of the issuer's: it says where its
// tokens come from (RFC 9728), and accepts those that the issuer signed for it, of its own organization and
// with its scope.

import { once } from 'node:events';
import { createServer } from 'node:http';

import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';

import { verified } from './life.mjs';

/** The scope that a token needs. */
export const SCOPE = 'tool:call';

/** Starts one of that organization on a free port. `metadata` are those of the authorization server. */
export async function startMcpServer(metadata, organization) {
  const http = createServer();
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const origin = `http://127.0.0.1:${http.address().port}`;
  const resource = `${origin}/mcp`;
  const described = `${origin}/.well-known/oauth-protected-resource/mcp`;

  const app = createMcpExpressApp();
  app.get(new URL(described).pathname, (_request, response) => {
    response.json({ resource, authorization_servers: [metadata.issuer], scopes_supported: [SCOPE] });
  });
  const authorized = requireBearerAuth({
    verifier: { verifyAccessToken: (token) => accepted(token, metadata, { organization, resource }) },
    requiredScopes: [SCOPE],
    resourceMetadataUrl: described,
    expectedResource: new URL(resource),
  });
  app.post('/mcp', authorized, serve);
  // No stream of its own beside the answers.
  app.all('/mcp', authorized, (_request, response) => response.status(405).end());
  http.on('request', app);
  return { resource, described, close: () => http.close() };
}

async function accepted(token, metadata, itself) {
  try {
    const { payload } = await verified(token, metadata, itself);
    return {
      token,
      clientId: payload.client_id,
      scopes: payload.scope.split(' '),
      expiresAt: payload.exp,
      resource: new URL(itself.resource),
    };
  } catch (error) {
    throw new InvalidTokenError(error.message);
  }
}

/** Answers one request, and forgets it. */
async function serve(request, response) {
  const server = new McpServer({ name: 'a tool', version: '1.0.0' });
  server.registerTool('whoami', { description: 'Who calls.' }, ({ authInfo }) => ({
    content: [{ type: 'text', text: authInfo.clientId }],
  }));
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true });
  response.on('close', () => server.close());
  await server.connect(transport);
  await transport.handleRequest(request, response, request.body);
}
