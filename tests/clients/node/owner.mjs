// What the owner of some agents does before their programs run, through the management API: it
// registers the agents, and gives each its secret or its public keys.

import assert from 'node:assert/strict';

import { exportJWK, generateKeyPair } from 'jose';

/** The owner of the organization whose admin that client is. */
export async function ownerAt({ issuer, clientId, clientSecret }) {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
    scope: 'agents:read agents:write credentials:write',
  });
  const { access_token: token } = await answered(`${issuer}/api/v1/token`, 200, { method: 'POST', body: form });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const { organizationId: organization } = await answered(`${issuer}/api/v1/organization`, 200, { headers });
  const made = (path, body) =>
    answered(`${issuer}/api/v1/agents${path}`, 201, { method: 'POST', headers, body: JSON.stringify(body) });
  let registered = 0;

  /** Registers an agent, and returns its client id. */
  async function agent(fields) {
    registered += 1;
    const { agentId } = await made('', {
      email: `node-${registered}@agents.example.com`,
      agentType: 'custom',
      version: '1.0.0',
      capabilities: ['tool:call'],
      owner: 'client-tests',
      deploymentEnv: 'development',
      ...fields,
    });
    return agentId;
  }

  return {
    token,
    /** The id of the organization, which stands in each of its tokens. */
    organization,
    agent,
    /** An agent with a secret of its own. */
    async withSecret(fields) {
      const clientId = await agent(fields);
      const { clientSecret } = await made(`/${clientId}/credentials`, {});
      return { clientId, clientSecret };
    },
    /** An agent with a key pair, of which the server is told the public half. */
    async withKey(algorithm, fields) {
      const clientId = await agent(fields);
      const { publicKey, privateKey } = await keyPair(algorithm);
      const jwk = { ...(await exportJWK(publicKey)), alg: algorithm };
      const { kid } = await made(`/${clientId}/keys`, { jwk });
      return { clientId, kid, privateKey };
    },
  };
}

/** A new pair of keys for that algorithm. */
export const keyPair = (algorithm) => generateKeyPair(algorithm, { extractable: true });

/** The body of an answer of that status. */
async function answered(url, status, request) {
  const response = await fetch(url, request);
  const text = await response.text();
  assert.equal(response.status, status, `${url}: ${text}`);
  return JSON.parse(text);
}
