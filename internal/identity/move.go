package identity

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/protocol"
)

// Import is Create for a private key that exists: text has its 64 hexadecimal digits, with or without 0x. Errors do not
// repeat it.
func Import(text, dir, passwordFile string, options ...Option) (address, file string, err error) {
	key, err := crypto.HexToECDSA(strings.TrimPrefix(strings.TrimSpace(text), "0x"))
	if err != nil {
		return "", "", errors.New("that is no private key: want 64 hexadecimal digits, with or without 0x, and nothing else")
	}
	s, password, err := prepare(dir, passwordFile, options)
	if err != nil {
		return "", "", err
	}
	account, err := keystore.NewKeyStore(dir, s.n, s.p).ImportECDSA(key, password)
	if errors.Is(err, keystore.ErrAccountAlreadyExists) {
		return "", "", fmt.Errorf("%s has the key of %s already", dir, crypto.PubkeyToAddress(key.PublicKey))
	}
	if err != nil {
		return "", "", fmt.Errorf("import key into %s: %w", dir, err)
	}
	return account.Address.Hex(), account.URL.Path, nil
}

// Export writes the key into a new encrypted file, for its owner alone. A file that exists is left as it is, and an error.
func Export(signer *protocol.KeySigner, file, passwordFile string, options ...Option) error {
	s := apply(options)
	password, err := passwordOf(passwordFile)
	if err != nil {
		return err
	}
	key := keystore.Key{Address: signer.Address(), PrivateKey: signer.Key()}
	_, _ = rand.Read(key.Id[:])                              // never fails, says crypto/rand
	key.Id[6], key.Id[8] = key.Id[6]&15|64, key.Id[8]&63|128 // a random UUID, RFC 9562
	encrypted, err := keystore.EncryptKey(&key, password, s.n, s.p)
	if err != nil {
		return fmt.Errorf("encrypt key: %w", err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists: name a file that does not", file)
	}
	if err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	_, err = f.Write(encrypted)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	return nil
}
