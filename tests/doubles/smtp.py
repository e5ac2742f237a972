"""A mail server on the loopback interface that takes what it is given, and says so: a line of JSON for each message.

Arguments: where aiosmtpd is, the port or 0 for any, and the password of the user `hibachi`, or nothing where nobody signs in.
It ends with its standard input.
"""

import sys
import warnings

# It signs in without TLS, on this machine.
warnings.simplefilter("ignore")
sys.path.insert(0, sys.argv[1])

import asyncio
import email
import email.policy
import json
import os
import threading

from aiosmtpd.smtp import SMTP, AuthResult

PASSWORD = sys.argv[3]
seen = set()


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        if name == "nobody":
            return "550 5.1.1 there is no such mailbox"
        if name == "later" and address not in seen:
            seen.add(address)
            return "451 4.7.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        said = {
            "sender": envelope.mail_from,
            "recipients": envelope.rcpt_tos,
            "headers": [[name.lower(), str(value)] for name, value in message.items()],
            "text": message.get_content(),
            "raw": envelope.content.decode("ascii", "replace"),
        }
        print(json.dumps(said), flush=True)
        return "250 taken"


def authenticator(server, session, envelope, mechanism, data):
    is_right = (data.login, data.password) == (b"hibachi", PASSWORD.encode())
    return AuthResult(success=is_right, handled=False)


def make():
    return SMTP(
        Handler(),
        authenticator=authenticator if PASSWORD else None,
        auth_required=bool(PASSWORD),
        auth_require_tls=False,
    )


def end_with_input():
    sys.stdin.read()
    os._exit(0)


async def serve():
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", int(sys.argv[2]))
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


threading.Thread(target=end_with_input, daemon=True).start()
asyncio.run(serve())
