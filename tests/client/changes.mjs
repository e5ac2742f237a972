// Names what changed between two schemas. Ends with 1 where a client that was right before may be wrong now.
// node changes.mjs OLD NEW
import { readFileSync } from 'node:fs';
import { buildSchema, findBreakingChanges, findDangerousChanges } from 'graphql';

const [before, after] = process.argv.slice(2).map((file) => buildSchema(readFileSync(file, 'utf8')));
const added = Object.keys(after.getTypeMap()).filter((name) => before.getType(name) === undefined);
const breaking = findBreakingChanges(before, after);
const kinds = [
  ['breaking', breaking],
  ['dangerous', findDangerousChanges(before, after)],
  ['added', added.sort().map((name) => ({ type: 'TYPE_ADDED', description: `${name} was added.` }))],
];
for (const [kind, changes] of kinds) {
  for (const { type, description } of changes) console.log(`${kind}: ${type}: ${description}`);
}
console.log(`schema: ${kinds.map(([kind, changes]) => `${changes.length} ${kind}`).join(', ')}`);
process.exitCode = breaking.length > 0 ? 1 : 0;
