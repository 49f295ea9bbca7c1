package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/identity"
)

// key names an account's key.
type key struct {
	Keystore     string `help:"Encrypted key file (kinora wallet new)." required:"" placeholder:"FILE"`
	PasswordFile string `help:"File with the key's password." required:"" placeholder:"FILE"`
}

// keyFile is where a new key goes.
type keyFile struct {
	KeystoreDir  string `help:"Directory the key file is made in." required:"" placeholder:"DIR"`
	PasswordFile string `help:"File with the password; made with a random one when it does not exist." required:"" placeholder:"FILE"`
	Light        bool   `help:"Encrypt lightly: the key opens in milliseconds with 4 MB of memory, instead of a second with 256 MB. For keys that guard little."`
	output
}

// scrypt says how hard a key file is to guess.
func scrypt(light bool) []identity.Option {
	if light {
		return []identity.Option{identity.LightScrypt()}
	}
	return nil
}

func (w keyFile) made(a *app, address, file string, err error) error {
	if err != nil {
		return err
	}
	return w.answer(a, map[string]any{"address": address, "keystore": file}, "%s\n%s", address, file)
}

type walletNew struct{ keyFile }

// Run makes a key.
func (w walletNew) Run(a *app) error {
	address, file, err := identity.Create(w.KeystoreDir, w.PasswordFile, scrypt(w.Light)...)
	return w.made(a, address, file, err)
}

// walletImport has no flag for the key itself: what is on a command line, everybody on the machine can read.
type walletImport struct {
	keyFile
	From string `arg:"" help:"File with the private key, 64 hexadecimal digits; - is standard input." placeholder:"FILE"`
}

// maxKeyText is more than a key and the white space around it.
const maxKeyText = 1024

// Run makes the key file.
func (w walletImport) Run(a *app) error {
	from, name := io.Reader(os.Stdin), "standard input"
	if w.From != "-" {
		f, err := os.Open(w.From)
		var notThere *fs.PathError
		switch {
		case errors.As(err, &notThere): // its name is left out: somebody may have pasted the key
			return fmt.Errorf("<from>: open the file: %w; give the name of a file with the key, or - for standard input", notThere.Err)
		case err != nil:
			return errors.New("<from>: the file does not open")
		}
		defer f.Close()
		from, name = f, w.From
	}
	text, err := io.ReadAll(io.LimitReader(from, maxKeyText))
	if err != nil {
		return fmt.Errorf("read the key: %w", err)
	}
	address, file, err := identity.Import(string(text), w.KeystoreDir, w.PasswordFile, scrypt(w.Light)...)
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return w.made(a, address, file, err)
}

type walletExport struct {
	key
	Out             string `help:"File that is made, encrypted (V3 keystore), for its owner alone." placeholder:"FILE"`
	OutPasswordFile string `help:"File with the password of --out; made with a random one when it does not exist. By default --password-file." placeholder:"FILE"`
	Light           bool   `help:"Encrypt lightly."`
	ShowPrivateKey  bool   `help:"Print the private key itself, in the clear, instead of writing --out: whoever sees it has the account's money."`
	output
}

// Validate wants one place for the key to go.
func (w walletExport) Validate() error {
	switch {
	case w.Out == "" && !w.ShowPrivateKey:
		return errors.New("missing: --out, the encrypted file to make")
	case w.Out != "" && w.ShowPrivateKey:
		return errors.New("--out, --show-private-key: want one of them")
	}
	return nil
}

// Run writes the key.
func (w walletExport) Run(a *app) error {
	signer, err := identity.Load(w.Keystore, w.PasswordFile)
	if err != nil {
		return err
	}
	if w.ShowPrivateKey {
		raw := hexutil.Encode(crypto.FromECDSA(signer.Key()))
		return w.answer(a, map[string]any{"address": signer.Address().Hex(), "private_key": raw}, "%s", raw)
	}
	password := cmp.Or(w.OutPasswordFile, w.PasswordFile)
	if err := identity.Export(signer, w.Out, password, scrypt(w.Light)...); err != nil {
		return err
	}
	return w.answer(a, map[string]any{"address": signer.Address().Hex(), "keystore": w.Out}, "%s, the key of %s; its password is in %s", w.Out, signer.Address(), password)
}

type walletAddress struct {
	key
	output
}

// Run prints the address.
func (w walletAddress) Run(a *app) error {
	signer, err := identity.Load(w.Keystore, w.PasswordFile)
	if err != nil {
		return err
	}
	return w.answer(a, map[string]any{"address": signer.Address().Hex()}, "%s", signer.Address())
}
