// A client's day, with the generated types: what it prints is what the test that runs it looks at.
import assert from 'node:assert/strict';
import { Client, Refused } from './client.js';
import {
  AnythingDocument,
  BookDocument,
  type BookMutationVariables,
  PageDocument,
  QuoteDocument,
  SignInDocument,
  WhoAmIDocument,
} from './hibachi.js';

function told(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

const nobody = new Client(told('HIBACHI_URL'));
await assert.rejects(nobody.ask(WhoAmIDocument, {}), (error) => {
  return error instanceof Refused && error.codes.includes('UNAUTHENTICATED');
});

const input = { organisation: told('HIBACHI_ORG'), email: told('HIBACHI_EMAIL'), password: told('HIBACHI_PASSWORD') };
const { signIn } = await nobody.ask(SignInDocument, { input });
assert.deepEqual(signIn.userErrors, []);
assert(signIn.accessToken);
const me = nobody.as(signIn.accessToken);
const { viewer } = await me.ask(WhoAmIDocument, {});
assert(viewer.permissions.includes('booking:write'));

const party = { start: '2026-03-14T18:00:00', guests: { adults: 12, children: 4 } };
const { quote } = await me.ask(QuoteDocument, { input: { ...party, zip: '95112' } });
const booking: BookMutationVariables['input'] = {
  ...party,
  idempotencyKey: 'typed',
  customer: { name: 'Guest Typed', email: 'typed@example.com' },
  venue: { street: '1 Main St', city: 'San Jose', state: 'CA', zip: '95112' },
};
const { bookingRequest: booked } = await me.ask(BookDocument, { input: booking });
assert.deepEqual(booked.userErrors, []);
assert.equal(booked.booking?.total.minor, quote.total.minor);
const again = await me.ask(BookDocument, { input: booking });
assert.equal(again.bookingRequest.replayed, true);
assert.equal(again.bookingRequest.booking?.id, booked.booking?.id);

// The type of `code` is a string and of `field` a path: a refusal is data.
const refused = await me.ask(BookDocument, {
  input: { ...booking, idempotencyKey: 'twice', customer: { ...booking.customer, email: 'other@example.com' } },
});
assert.equal(refused.bookingRequest.booking, null);
const codes: string[] = refused.bookingRequest.userErrors.map((error) => error.code);

const numbers: string[] = [];
let after: string | null | undefined;
do {
  const { bookings } = await me.ask(PageDocument, { first: 1, after });
  numbers.push(...bookings.nodes.map((node) => node.number));
  after = bookings.pageInfo.hasNextPage ? bookings.pageInfo.endCursor : null;
} while (after);
assert(booked.booking);
const { node } = await me.ask(AnythingDocument, { id: booked.booking.id });
assert(node?.__typename === 'Booking');
assert.equal(node.number, booked.booking.number);
console.log(JSON.stringify({ role: viewer.role, total: quote.total.minor, codes, numbers, booked: node.number }));
