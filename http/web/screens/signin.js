// @ts-check
// Sign-in: the token is sent once as a header, and the browser keeps a cookie that no script can
// read.
import { signIn } from "../api.js";
import { Button, Field, lazily, Problem, useAct } from "../components/basics.js";
import { html, useState } from "../html.js";
import { connect } from "../connection.js";
import { go } from "../router.js";

const PasskeySignIn = lazily(() => import("../components/passkeys.js"), "PasskeySignIn");

export const SignIn = () => {
  const [token, setToken] = useState("");
  const { busy, error, run } = useAct();
  const submit = () =>
    run("signin", async () => {
      await signIn(token.trim());
      setToken("");
      await connect();
    });
  return html`<main class="signin" id="main">
    <form class="card stack"
      onSubmit=${(/** @type {any} */ e) => {
        e.preventDefault();
        submit();
      }}>
      <img src="/web/icons/icon.svg" width="56" height="56" alt="" />
      <h1>Command Center</h1>
      <p>This server wants its token.</p>
      <input type="text" autocomplete="username" value="command-center" class="visually-hidden"
        tabindex="-1" readonly aria-label="User" />
      <${Field} label="Token" hint="CC_API_TOKEN, or a device's. It is sent once and not kept.">
        <input type="password" required autofocus autocomplete="current-password" value=${token}
          onInput=${(/** @type {any} */ e) => setToken(e.currentTarget.value)} />
      <//>
      <${Problem} error=${error} />
      <${Button} kind="primary wide big" type="submit" busy=${busy}
        disabled=${Boolean(busy) || !token.trim()}>
        Sign in
      <//>
      <${PasskeySignIn} />
      <${Button} kind="quiet wide" onClick=${() => go("/pair")}>I have a code<//>
    </form>
  </main>`;
};
