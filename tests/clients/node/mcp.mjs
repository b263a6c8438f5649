// The Model Context Protocol's own client uses the server at ISSUER as it would use any other: it is
// sent there by a small MCP server, gets a token by each of its providers for machines, and calls a
// tool. Prints one line of JSON with what was seen; anything that is not as it should be ends the
// process with an error.

import assert from 'node:assert/strict';

import { ClientCredentialsProvider, PrivateKeyJwtProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import {
  discoverAuthorizationServerMetadata,
  discoverOAuthProtectedResourceMetadata,
  extractWWWAuthenticateParams,
} from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { exportPKCS8 } from 'jose';

import { verified } from './life.mjs';
import { startMcpServer, SCOPE } from './mcp_server.mjs';
import * as oauth4webapi from './oauth4webapi.mjs';
import { ownerAt } from './owner.mjs';

const { ISSUER: issuer, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret } = process.env;
assert(issuer && clientId && clientSecret, 'ISSUER, CLIENT_ID, CLIENT_SECRET');

/** What its client finds out about our own API, from a refusal on. */
async function discovered() {
  const refused = await fetch(`${issuer}/api/v1/agents`);
  const { resourceMetadataUrl } = extractWWWAuthenticateParams(refused);
  const named = await discoverOAuthProtectedResourceMetadata(`${issuer}/api/v1/agents`, { resourceMetadataUrl });
  // Where nobody told it, it looks below the path and then at the root.
  const guessed = await discoverOAuthProtectedResourceMetadata(`${issuer}/api/v1/agents`);
  assert.deepEqual(guessed, named);
  assert.equal(named.resource, issuer);
  const [server] = named.authorization_servers;

  const oauth = await discoverAuthorizationServerMetadata(server);
  // The form of OpenID Connect, for which it looks where that of OAuth is not.
  const openid = await discoverAuthorizationServerMetadata(server, { fetchFn: withoutOAuth });
  for (const metadata of [oauth, openid]) {
    assert.equal(metadata.issuer, issuer);
    assert.equal(metadata.token_endpoint, `${issuer}/api/v1/token`);
    assert(metadata.grant_types_supported.includes('client_credentials'));
    for (const method of ['client_secret_basic', 'private_key_jwt']) {
      assert(metadata.token_endpoint_auth_methods_supported.includes(method), method);
    }
  }
  return oauth;
}

function withoutOAuth(url, request) {
  const isOAuth = String(url).includes('oauth-authorization-server');
  return isOAuth ? new Response(null, { status: 404 }) : fetch(url, request);
}

/** Who the tool says that the client is, which knows no more than the URL and its own credentials. */
async function caller(resource, authProvider) {
  const client = new Client({ name: 'a client', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(resource), { authProvider }));
  const { content } = await client.callTool({ name: 'whoami' });
  await client.close();
  return content[0].text;
}

/** How the MCP server answers a call with that token. */
async function answer(resource, token) {
  const response = await fetch(resource, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
  const { error } = extractWWWAuthenticateParams(response);
  return { status: response.status, error };
}

const metadata = await discovered();
const owner = await ownerAt({ issuer, clientId, clientSecret });
const { resource, close } = await startMcpServer(metadata, owner.organization);
await owner.agent({ roles: ['resource_server'], resources: [resource] });

const called = [];
const agent = await owner.withSecret();
const provider = new ClientCredentialsProvider({ ...agent, scope: SCOPE, expectedIssuer: issuer });
called.push({ provider: 'client_secret_basic', itself: (await caller(resource, provider)) === agent.clientId });
// It knows no name of Ed25519 beside a key that is given as text.
for (const algorithm of ['ES256', 'RS256', 'PS256']) {
  const { privateKey, clientId } = await owner.withKey(algorithm);
  const provider = new PrivateKeyJwtProvider({
    clientId,
    privateKey: await exportPKCS8(privateKey),
    algorithm,
    scope: SCOPE,
    expectedIssuer: issuer,
  });
  called.push({ provider: `private_key_jwt ${algorithm}`, itself: (await caller(resource, provider)) === clientId });
}

// Tokens of the same issuer that are not for this resource, not for this tool, or not of this
// organization: another may say that the resource is its own, and have tokens made out for it.
const method = 'client_secret_basic';
const other = await owner.withSecret({ capabilities: ['tool:list'] });
const stranger = await oauth4webapi.connect({ issuer, method, ...agent });
const lister = await oauth4webapi.connect({ issuer, method, ...other });
const forIssuer = await stranger.token(SCOPE);
const forListing = await lister.token('tool:list', { resource });
const { OTHER_CLIENT_ID, OTHER_CLIENT_SECRET } = process.env;
assert(OTHER_CLIENT_ID && OTHER_CLIENT_SECRET, 'OTHER_CLIENT_ID, OTHER_CLIENT_SECRET');
const otherOwner = await ownerAt({ issuer, clientId: OTHER_CLIENT_ID, clientSecret: OTHER_CLIENT_SECRET });
await otherOwner.agent({ roles: ['resource_server'], resources: [resource] });
const foreign = await oauth4webapi.connect({ issuer, method, ...(await otherOwner.withSecret()) });
const ofAnother = await foreign.token(SCOPE, { resource });
// Nothing else is wrong with it.
await verified(ofAnother.access_token, metadata, { organization: otherOwner.organization, resource });
const refused = [
  await answer(resource, forIssuer.access_token),
  await answer(resource, forListing.access_token),
  await answer(resource, ofAnother.access_token),
];
close();
console.log(JSON.stringify({ called, refused }));
