// Two of npm's OAuth clients use the server at ISSUER as they would use any other, in the parts that
// the arguments name. Prints one line of JSON with what they saw, part by part; anything that is not
// as it should be ends the process with an error.

import assert from 'node:assert/strict';

import { lifeOfABoundToken } from './bound.mjs';
import { lifeOfAToken, signedIntrospection } from './life.mjs';
import * as oauth4webapi from './oauth4webapi.mjs';
import * as openidClient from './openid_client.mjs';
import { keyPair, ownerAt } from './owner.mjs';

const { ISSUER: issuer, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret } = process.env;
assert(issuer && clientId && clientSecret, 'ISSUER, CLIENT_ID, CLIENT_SECRET');

const LIBRARIES = [openidClient, oauth4webapi];
const ALGORITHMS = ['ES256', 'EdDSA', 'RS256', 'PS256'];
const owner = await ownerAt({ issuer, clientId, clientSecret });
const { organization } = owner;
const roles = ['operator'];

/** Another secret of the same form. */
const another = (secret) => secret.slice(0, -1) + (secret.at(-1) === 'A' ? 'B' : 'A');

async function bySecret(library, method) {
  const agent = await owner.withSecret({ roles });
  const settings = { issuer, organization, method, ...agent };
  const wrong = { ...settings, clientSecret: another(agent.clientSecret) };
  return lifeOfAToken(library, settings, wrong);
}

async function byKey(library, algorithm) {
  const agent = await owner.withKey(algorithm, { roles });
  const settings = { issuer, organization, method: 'private_key_jwt', ...agent };
  const { privateKey } = await keyPair(algorithm);
  return { ...(await lifeOfAToken(library, settings, { ...settings, privateKey })), algorithm };
}

async function bound(library, algorithm) {
  const agent = await owner.withSecret({ roles, dpopBoundAccessTokens: true });
  const settings = { issuer, organization, method: 'client_secret_basic', ...agent };
  return lifeOfABoundToken(library, settings, algorithm);
}

async function signed(library, method) {
  const agent = method === 'private_key_jwt' ? owner.withKey('ES256', { roles }) : owner.withSecret({ roles });
  return signedIntrospection(library, { issuer, organization, method, ...(await agent) });
}

const PARTS = {
  secrets: [bySecret, ['client_secret_basic', 'client_secret_post']],
  keys: [byKey, ALGORITHMS],
  // RS256 is for the keys of clients that have no other, and not for proofs.
  bound: [bound, ['ES256', 'EdDSA', 'PS256']],
  signed: [signed, ['client_secret_basic', 'private_key_jwt']],
};

const seen = {};
for (const part of process.argv.slice(2)) {
  const [see, cases] = PARTS[part];
  seen[part] = [];
  for (const library of LIBRARIES) {
    for (const one of cases) {
      seen[part].push(await see(library, one));
    }
  }
}
console.log(JSON.stringify(seen));
