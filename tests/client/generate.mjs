// Writes a typed client of the schema: a document for each operation, with the types of what it takes and gives.
// node generate.mjs SCHEMA OPERATIONS OUT
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codegen } from '@graphql-codegen/core';
import * as documentNodes from '@graphql-codegen/typed-document-node';
import * as operationTypes from '@graphql-codegen/typescript-operations';
import { parse } from 'graphql';

const [schemaFile, operations, out] = process.argv.slice(2);
const documents = readdirSync(operations)
  .filter((name) => name.endsWith('.graphql'))
  .sort()
  .map((name) => ({ location: name, document: parse(readFileSync(join(operations, name), 'utf8')) }));

// How each scalar travels in JSON; a new one is an error here until it is named.
const scalars = {
  BigInt: 'number | string',
  DateTime: 'string',
  Decimal: 'string',
  LocalDate: 'string',
  LocalDateTime: 'string',
  LocalTime: 'string',
  LogPosition: 'number | string',
};
const config = { scalars, strictScalars: true, enumsAsTypes: true, useTypeImports: true };
const written = await codegen({
  filename: out,
  schema: parse(readFileSync(schemaFile, 'utf8')),
  documents,
  config,
  plugins: [{ operationTypes: {} }, { documentNodes: {} }],
  pluginMap: { operationTypes, documentNodes },
});
writeFileSync(out, written);
