import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';

/** What a server says of a question that it did not answer. */
export class Refused extends Error {
  constructor(readonly codes: string[], readonly status: number) {
    super(`${status}: ${codes.join(', ')}`);
  }
}

type Answer<Data> = { data?: Data | null; errors?: { extensions?: { code?: string } }[] };

/** Asks a server; the token of whoever is signed in goes along. */
export class Client {
  constructor(private readonly url: string, private readonly token?: string) {}

  as(token: string): Client {
    return new Client(this.url, token);
  }

  async ask<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data> {
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (this.token !== undefined) headers.authorization = `Bearer ${this.token}`;
    const body = JSON.stringify({ query: print(document), variables });
    const response = await fetch(this.url, { method: 'POST', headers, body });
    const answer = (await response.json()) as Answer<Data>;
    if (answer.errors !== undefined || !answer.data) {
      throw new Refused((answer.errors ?? []).map((error) => error.extensions?.code ?? '?'), response.status);
    }
    return answer.data;
  }
}
