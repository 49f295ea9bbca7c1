package callout

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/nats-io/nkeys"

	"github.com/kinora/kinora/internal/bus/entry"
)

// Keys are what the orchestrators of a market share with their NATS servers, which know the public halves.
type Keys struct {
	issuer nkeys.KeyPair // signs the users that were let in
	user   nkeys.KeyPair // by which the callout itself connects
	curve  nkeys.KeyPair // to which servers encrypt their questions
}

// seeds is the file's content.
type seeds struct {
	Issuer string `json:"issuer_seed"`
	User   string `json:"user_seed"`
	Curve  string `json:"curve_seed"`
}

// CreateKeys writes new keys to file, for its owner alone. A file that exists is left as it is, and an error.
func CreateKeys(file string) (*Keys, error) {
	var k Keys
	var all [3][]byte
	var err error
	for i, make := range []struct {
		into *nkeys.KeyPair
		by   func() (nkeys.KeyPair, error)
	}{{&k.issuer, nkeys.CreateAccount}, {&k.user, nkeys.CreateUser}, {&k.curve, nkeys.CreateCurveKeys}} {
		if *make.into, err = make.by(); err != nil {
			return nil, fmt.Errorf("make a NATS key: %w", err)
		}
		if all[i], err = (*make.into).Seed(); err != nil {
			return nil, fmt.Errorf("make a NATS key: %w", err)
		}
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s exists: name a file that does not", file)
	}
	if err != nil {
		return nil, fmt.Errorf("write NATS keys: %w", err)
	}
	b, err := json.MarshalIndent(seeds{string(all[0]), string(all[1]), string(all[2])}, "", "  ")
	if err == nil {
		_, err = f.Write(append(b, '\n'))
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("write NATS keys: %w", err)
	}
	return &k, nil
}

// LoadKeys reads what CreateKeys wrote.
func LoadKeys(file string) (*Keys, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read NATS keys: %w (`kinora orchestrator nats-keys` makes them)", err)
	}
	var s seeds
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, fmt.Errorf("%s holds no NATS keys: `kinora orchestrator nats-keys` makes such a file", file)
	}
	var k Keys
	for _, one := range []struct {
		name, seed string
		kind       nkeys.PrefixByte
		into       *nkeys.KeyPair
		open       func([]byte) (nkeys.KeyPair, error)
	}{{"issuer_seed", s.Issuer, nkeys.PrefixByteAccount, &k.issuer, nkeys.FromSeed}, {"user_seed", s.User, nkeys.PrefixByteUser, &k.user, nkeys.FromSeed},
		{"curve_seed", s.Curve, nkeys.PrefixByteCurve, &k.curve, nkeys.FromCurveSeed}} {
		kind, _, err := nkeys.DecodeSeed([]byte(one.seed))
		if err != nil || kind != one.kind {
			return nil, fmt.Errorf("%s: %s is missing or no key of its kind", file, one.name)
		}
		if *one.into, err = one.open([]byte(one.seed)); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", file, one.name, err)
		}
	}
	return &k, nil
}

// ServerConfig is what a NATS server's configuration needs for these keys: every server of a cluster the same.
func (k *Keys) ServerConfig() string {
	public := func(pair nkeys.KeyPair) string {
		text, _ := pair.PublicKey() // fails only when a pair was wiped
		return text
	}
	user := public(k.user)
	return fmt.Sprintf(`# The market lives in account %[1]s. Orchestrators answer who may enter it, from the system's account.
max_subscriptions: %[10]d
system_account: %[2]s
accounts {
  %[1]s: {}
  %[2]s: {
    users: [ {
      nkey: %[3]s
      permissions: {
        publish: [ %[4]q, %[5]q ]
        subscribe: [ %[6]q, %[7]q ]
        allow_responses: true
      }
    } ]
  }
}
authorization {
  timeout: 8
  auth_callout {
    issuer: %[8]s
    account: %[2]s
    auth_users: [ %[3]s ]
    xkey: %[9]s
  }
}
`, account, systemAccount, user, listSubject, fmt.Sprintf(kickSubject, "*"), loginSubject, inbox+".>", public(k.issuer), public(k.curve), entry.MaxSubscriptions)
}
