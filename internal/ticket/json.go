package ticket

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/kinora/kinora/internal/protocol"
)

// maxJSON bounds the JSON of one signed ticket, in bytes; a canonical one takes less than 700.
const maxJSON = 2048

// ticketJSON is the wire form. Integers wider than 32 bits are decimal strings, since other languages read JSON numbers as floats.
type ticketJSON struct {
	Payer             string       `json:"payer"`
	Recipient         string       `json:"recipient"`
	Lane              uint16       `json:"lane"`
	TicketNonce       uint64       `json:"ticket_nonce,string"`
	FaceValue         protocol.Wei `json:"face_value"`
	WinProb           uint64       `json:"win_prob,string"`
	Expiry            uint64       `json:"expiry,string"`
	RecipientRandHash common.Hash  `json:"recipient_rand_hash"`
	Salt              uint64       `json:"salt,string"`
}

type signedJSON struct {
	Ticket    Ticket             `json:"ticket"`
	Signature protocol.Signature `json:"signature"`
}

// MarshalJSON writes addresses in EIP-55 hex and wide integers as decimal strings.
func (t Ticket) MarshalJSON() ([]byte, error) {
	return json.Marshal(ticketJSON{Payer: t.Payer.Hex(), Recipient: t.Recipient.Hex(), Lane: t.Lane, TicketNonce: t.TicketNonce,
		FaceValue: t.FaceValue, WinProb: t.WinProb, Expiry: t.Expiry, RecipientRandHash: t.RecipientRandHash, Salt: t.Salt})
}

// UnmarshalJSON reads exactly what MarshalJSON writes, keys in any order: each key once, no other key, canonical values.
// Errors wrap ErrTicket. It does not Validate.
func (t *Ticket) UnmarshalJSON(b []byte) error {
	f, err := fields(b, "payer", "recipient", "lane", "ticket_nonce", "face_value", "win_prob", "expiry", "recipient_rand_hash", "salt")
	if err != nil {
		return err
	}
	var d Ticket
	d.Payer = f.address("payer")
	d.Recipient = f.address("recipient")
	d.Lane = f.lane("lane")
	d.TicketNonce = f.uint64("ticket_nonce")
	d.FaceValue = f.wei("face_value")
	d.WinProb = f.uint64("win_prob")
	d.Expiry = f.uint64("expiry")
	d.RecipientRandHash = f.hash("recipient_rand_hash")
	d.Salt = f.uint64("salt")
	if f.err != nil {
		return f.err
	}
	*t = d
	return nil
}

// MarshalJSON writes {"ticket": {…}, "signature": "0x…"}.
func (s Signed) MarshalJSON() ([]byte, error) {
	return json.Marshal(signedJSON{Ticket: s.Ticket, Signature: s.Signature})
}

// UnmarshalJSON reads exactly what MarshalJSON writes, keys in any order. Errors wrap ErrTicket. It neither validates nor
// verifies.
func (s *Signed) UnmarshalJSON(b []byte) error {
	if len(b) > maxJSON {
		return fmt.Errorf("%w: %d bytes of JSON, at most %d are read", ErrTicket, len(b), maxJSON)
	}
	f, err := fields(b, "ticket", "signature")
	if err != nil {
		return err
	}
	var d Signed
	if err := d.Ticket.UnmarshalJSON(f.raw["ticket"]); err != nil {
		return err
	}
	copy(d.Signature[:], f.bytes("signature", len(d.Signature)))
	if f.err != nil {
		return f.err
	}
	*s = d
	return nil
}

// object holds the fields of one flat JSON object and the first error met in reading them.
type object struct {
	raw map[string]json.RawMessage
	err error
}

// fields splits a JSON object; encoding/json alone would let keys repeat, differ in case, or be missing.
func fields(b []byte, names ...string) (*object, error) {
	refuse := func(what any) (*object, error) { return nil, fmt.Errorf("%w: JSON: %v", ErrTicket, what) }
	d := json.NewDecoder(bytes.NewReader(b))
	if start, err := d.Token(); err != nil {
		return refuse(err)
	} else if start != json.Delim('{') {
		return refuse("want an object")
	}
	o := &object{raw: make(map[string]json.RawMessage, len(names))}
	known := func(key string) bool {
		for _, n := range names {
			if n == key {
				return true
			}
		}
		return false
	}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return refuse(err)
		}
		key, _ := token.(string)
		if !known(key) {
			return refuse(fmt.Sprintf("unknown key %.40q", key))
		}
		if _, twice := o.raw[key]; twice {
			return refuse(fmt.Sprintf("key %q twice", key))
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return refuse(err)
		}
		o.raw[key] = value
	}
	if _, err := d.Token(); err != nil { // the closing brace
		return refuse(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return refuse("more after the object")
	}
	for _, n := range names {
		if _, ok := o.raw[n]; !ok {
			return refuse(fmt.Sprintf("key %q is missing", n))
		}
	}
	return o, nil
}

func (o *object) refuse(name, want string) {
	if o.err == nil {
		o.err = fmt.Errorf("%w: JSON: %s is %.100s, want %s", ErrTicket, name, o.raw[name], want)
	}
}

// text is the value of a string that needs no escapes; none of ours does.
func (o *object) text(name, want string) string {
	b := o.raw[name]
	if len(b) < 2 || b[0] != '"' || bytes.IndexByte(b, '\\') >= 0 {
		o.refuse(name, want)
		return ""
	}
	return string(b[1 : len(b)-1])
}

func (o *object) address(name string) common.Address {
	const want = "0x and 40 hex digits in EIP-55 case"
	s := o.text(name, want)
	a := common.HexToAddress(s)
	if a.Hex() != s {
		o.refuse(name, want)
	}
	return a
}

func (o *object) uint64(name string) uint64 {
	const want = "a string of decimal digits below 2^64"
	s := o.text(name, want)
	v, err := strconv.ParseUint(s, 10, 64)
	if err != nil || strconv.FormatUint(v, 10) != s {
		o.refuse(name, want)
	}
	return v
}

func (o *object) lane(name string) uint16 {
	b := string(o.raw[name])
	v, err := strconv.ParseUint(b, 10, 16)
	if err != nil || strconv.FormatUint(v, 10) != b {
		o.refuse(name, "a number from 0 to 65535")
	}
	return uint16(v)
}

func (o *object) wei(name string) protocol.Wei {
	const want = "a string of decimal digits, at most 2^96-1"
	w, err := protocol.ParseWei(o.text(name, want))
	if err != nil || !w.FitsUint96() {
		o.refuse(name, want)
	}
	return w
}

func (o *object) hash(name string) common.Hash {
	return common.BytesToHash(o.bytes(name, common.HashLength))
}

func (o *object) bytes(name string, size int) []byte {
	want := fmt.Sprintf("0x and %d lower-case hex digits", 2*size)
	s := o.text(name, want)
	b, err := hexutil.Decode(s)
	if err != nil || len(b) != size || hexutil.Encode(b) != s {
		o.refuse(name, want)
		return make([]byte, size)
	}
	return b
}
