// The page of scripts/browser.mjs: does the work on the packages that the server has, and sends back what it saw.

import * as api from "triptych-format";
import { work } from "./work.js";

const violations = [];
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => violations.push(`${violatedDirective} ${blockedURI}`));

async function answer() {
  const seen = await work(api, await (await fetch("/packages.json")).json());
  const violationsOfWork = [...violations];
  let evalIsForbidden = false;
  try {
    new Function("return 1")();
  } catch {
    evalIsForbidden = true;
  }
  return { agent: navigator.userAgent, evalIsForbidden, violations: violationsOfWork, seen };
}

const said = await answer().catch((error) => ({ error: String(error.stack ?? error) }));
await fetch("/answer", { method: "POST", body: JSON.stringify(said) });
