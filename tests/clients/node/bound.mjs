// A token that is bound to a key (RFC 9449): asked for with a proof and the server's nonce, used at
// the server's own API with another, and worth nothing without.

import assert from 'node:assert/strict';

import { calculateJwkThumbprint, exportJWK } from 'jose';

import { refusal, verified } from './life.mjs';
import { keyPair } from './owner.mjs';

const SCOPE = 'agents:read tokens:introspect';

/** Lives with it, and returns what was seen. The settings are of an agent that must bring proofs. */
export async function lifeOfABoundToken(library, settings, algorithm) {
  const client = await library.connect(settings);
  const offered = client.metadata.dpop_signing_alg_values_supported;
  const keys = await keyPair(algorithm);
  const proof = client.prover(keys);

  const asked = [];
  const answer = await watched(asked, () => client.token(SCOPE, { proof }));
  const token = answer.access_token;
  const { payload: claims } = await verified(token, client.metadata, settings);
  const thumbprint = await calculateJwkThumbprint(await exportJWK(keys.publicKey));
  assert.equal(claims.cnf.jkt, thumbprint);

  const told = await client.introspect(token);
  assert.equal(told.active, true);
  assert.equal(told.cnf.jkt, thumbprint);
  assert.equal(told.token_type, 'DPoP');

  const itself = `${settings.issuer}/api/v1/agents/${settings.clientId}`;
  // One that knows no nonce yet.
  const fresh = client.prover(keys);
  const withProof = await watched(asked, () => client.call(token, itself, fresh));
  const another = client.prover(await keyPair(algorithm));
  return {
    library: library.name,
    proofs: algorithm,
    offered: offered.some((one) => one === algorithm || (one === 'Ed25519' && algorithm === 'EdDSA')),
    type: answer.token_type.toLowerCase(),
    withProof,
    askedForNonces: asked,
    withProofOfAnotherKey: await status(client.call(token, itself, another)),
    asBearer: (await fetch(itself, { headers: { authorization: `Bearer ${token}` } })).status,
    withoutProof: await refusal(client, SCOPE),
  };
}

/** Notes the status of each answer meanwhile that asks for a nonce. */
async function watched(asked, act) {
  const { fetch } = globalThis;
  globalThis.fetch = async (...request) => {
    const response = await fetch(...request);
    if (!response.ok && response.headers.has('dpop-nonce')) {
      asked.push(response.status);
    }
    return response;
  };
  try {
    return await act();
  } finally {
    globalThis.fetch = fetch;
  }
}

/** The libraries throw where a challenge says why. */
async function status(call) {
  try {
    return await call;
  } catch (error) {
    const [problem] = [error, error.cause].filter((one) => one?.response);
    assert(problem, String(error));
    return problem.response.status;
  }
}
