// @ts-check
// Passkeys: this browser's authenticator is asked to make one, or to prove that it has one.
/** @import { BodyOf } from "./openapi.js" */
import { ApiError, ask, get, ME, post } from "./api.js";

/** Whether a browser has passkeys for this page: one of https or this machine, under a name. */
export const canUse = () =>
  window.isSecureContext &&
  "PublicKeyCredential" in window &&
  !/^\[|^[\d.]+$/.test(location.hostname);

/** Whether the server has any that could sign in here; not where it has none at all. */
export async function areKnown() {
  try {
    return canUse() && (await get("/api/passkeys/challenge")).isKnown;
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) return false;
    throw error;
  }
}

/** Make a passkey of this browser's for who is signed in. @param {string} name */
export async function make(name) {
  const told = await get("/api/passkeys/challenge");
  const made = await browser(() =>
    navigator.credentials.create({
      publicKey: {
        challenge: bytes(told.challenge),
        rp: { id: location.hostname, name: "Command Center" },
        user: { id: crypto.getRandomValues(new Uint8Array(16)), name, displayName: name },
        pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: "public-key", alg })),
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
        attestation: "none",
      },
    }),
  );
  return ask("/api/passkeys", {
    clientData: text(made.response.clientDataJSON),
    attestation: text(made.response.attestationObject),
    name,
    requestedBy: ME,
  });
}

/** Sign in by a passkey. */
export async function signIn() {
  const told = await get("/api/passkeys/challenge");
  return ask("/api/passkeys/signin", await prove(told.challenge));
}

/**
 * Decide on an approval that wants a passkey's proof.
 * @param {number} id @param {BodyOf<"POST", `/api/approvals/${number}/challenge`>} decision
 */
export async function decide(id, decision) {
  const told = await ask(`/api/approvals/${id}/challenge`, decision);
  if (!canUse())
    throw new ApiError(
      400,
      "It is approved with a passkey, which a browser has only for a page of https under a name.",
    );
  const proof = await prove(told.challenge);
  return post(`/api/approvals/${id}/resolve`, { ...decision, proof });
}

/** Have a passkey sign. @param {string} challenge */
async function prove(challenge) {
  const proof = await browser(() =>
    navigator.credentials.get({
      publicKey: {
        challenge: bytes(challenge),
        rpId: location.hostname,
        userVerification: "required",
      },
    }),
  );
  return {
    id: text(proof.rawId),
    clientData: text(proof.response.clientDataJSON),
    authenticatorData: text(proof.response.authenticatorData),
    signature: text(proof.response.signature),
  };
}

/** What the browser answers. @param {() => Promise<any>} asked */
async function browser(asked) {
  try {
    return await asked();
  } catch (error) {
    if (error instanceof DOMException)
      throw new ApiError(400, "The browser gave no passkey. Try again.");
    throw error;
  }
}

/** @param {ArrayBuffer} buffer */
function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** @param {string} told */
function bytes(told) {
  const plain = atob(told.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (one) => one.charCodeAt(0));
}
