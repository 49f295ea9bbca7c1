// Package protocol is the vocabulary of Kinora: the types, signed messages, frozen codes and NATS subjects with which
// broadcasters, orchestrators and transcoders speak. It imports nothing of Kinora and holds no behaviour beyond
// validating, hashing and encoding what is said.
//
// Every signed message is EIP-712 typed data under the market domain (see Domain): what one chain's escrow backs
// cannot be replayed against another. Amounts of money are Wei, times of day never travel: messages carry the
// milliseconds that remain, counted from their arrival, so clock skew between machines does no harm.
package protocol
