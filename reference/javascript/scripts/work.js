// What the package makes of packages, as plain data: the same in Node.js and in a browser, or one of them is wrong.

const bytesOf = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

async function digest(bytes) {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

async function written(api, model) {
  const folder = api.writeMembers(model, { spelling: "yaml", maxShardBytes: 64 }), archive = api.writeArchive(api.writeMembers(model));
  const members = {};
  for (const [name, bytes] of folder) members[name] = await digest(bytes);
  return { archive: await digest(archive), members, again: api.validatePackage(api.archiveSource(archive)).length };
}

function evaluated(api, model, inputs) {
  const arrays = Object.fromEntries(Object.entries(inputs).map(([name, { dtype, shape, bytes }]) => [name, api.fromBytes(dtype, shape, bytesOf(bytes))]));
  return Object.entries(api.evaluateModel(model, arrays)).map(([name, tensor]) => [name, tensor.dtype, tensor.shape, [...tensor.data].map(String)]);
}

/** What is to be seen of each package: its problems; or what it is written as, and what it computes. */
export async function work(api, packages) {
  const seen = {};
  for (const { id, archive, members, inputs } of packages) {
    const source = archive ? api.archiveSource(bytesOf(archive)) : api.folderSource(Object.entries(members).map(([name, text]) => [name, bytesOf(text)]));
    const { model, problems } = api.inspectPackage(source);
    seen[id] = problems.length ? problems.map(({ code, place, message }) => `${place} ${code} ${message}`) : await written(api, model);
    if (inputs) seen[`${id}, evaluated`] = evaluated(api, model, inputs);
  }
  return seen;
}
