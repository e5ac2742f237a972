// What Relay's compiler is asked to accept: a connection that is paged, a node that is fetched again, a mutation.
// It is compiled by relay-compiler alone, and never run.
declare function graphql(text: TemplateStringsArray): unknown;

export const page = graphql`
  query BookingsPageQuery {
    ...Bookings_list
  }
`;

export const list = graphql`
  fragment Bookings_list on Query
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" })
  @refetchable(queryName: "BookingsListPaginationQuery") {
    bookings(first: $count, after: $cursor) @connection(key: "Bookings_bookings") {
      edges {
        node {
          id
          ...Bookings_row
        }
      }
    }
  }
`;

export const row = graphql`
  fragment Bookings_row on Booking @refetchable(queryName: "BookingsRowRefetchQuery") {
    number
    status
    customer {
      id
      name
    }
    total {
      amount
    }
  }
`;

export const request = graphql`
  mutation BookingsRequestMutation($input: BookingRequestInput!, $connections: [ID!]!) {
    bookingRequest(input: $input) {
      booking @prependNode(connections: $connections, edgeTypeName: "BookingEdge") {
        id
        ...Bookings_row
      }
      userErrors {
        code
        field
      }
    }
  }
`;
