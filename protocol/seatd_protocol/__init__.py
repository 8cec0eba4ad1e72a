"""The seatd wire protocol, version 1, for servers and clients alike.

| module     | what it holds                                                              |
|------------|----------------------------------------------------------------------------|
| `messages` | every message as a small frozen value                                      |
| `codec`    | frames to messages and back, for both sub-protocols, with hard limits      |
| `codes`    | close codes, denials, notices, errors: what each means, what a client does |
| `state`    | which message may follow which: one table                                  |
| `lease`    | until when a client may use its seats, and a node may speak for them       |
| `client`   | `SeatClient`, an asyncio client; with `link`, `holding`, `backoff`, `events` |

Only `client` and `link` do I/O (and need aiohttp). Nothing here knows the server. The contract in prose
is `protocol/README.md`; the vectors beside it let any other implementation check itself.
"""
