// Package identity keeps a participant's key: one encrypted go-ethereum V3 keystore file and one password file.
package identity

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/keystore"

	"github.com/kinora/kinora/internal/protocol"
)

// Option changes how Create encrypts.
type Option func(*settings)

type settings struct{ n, p int }

// LightScrypt makes a key that opens in milliseconds instead of a second: for keys that guard little.
func LightScrypt() Option {
	return func(s *settings) { s.n, s.p = keystore.LightScryptN, keystore.LightScryptP }
}

// Create writes a new encrypted key into dir and returns its address (0x-hex, EIP-55) and its file. A password file that
// does not exist is created with a random password, readable by its owner alone.
func Create(dir, passwordFile string, options ...Option) (address, file string, err error) {
	s, password, err := prepare(dir, passwordFile, options)
	if err != nil {
		return "", "", err
	}
	account, err := keystore.NewKeyStore(dir, s.n, s.p).NewAccount(password)
	if err != nil {
		return "", "", fmt.Errorf("create key in %s: %w", dir, err)
	}
	return account.Address.Hex(), account.URL.Path, nil
}

func apply(options []Option) settings {
	s := settings{n: keystore.StandardScryptN, p: keystore.StandardScryptP}
	for _, o := range options {
		o(&s)
	}
	return s
}

// prepare is what precedes a new key file: its directory, and the password, which is made where there is none.
func prepare(dir, passwordFile string, options []Option) (s settings, password string, err error) {
	if password, err = passwordOf(passwordFile); err != nil {
		return s, "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return s, "", fmt.Errorf("create keystore directory: %w", err)
	}
	return apply(options), password, nil
}

// passwordOf reads the password file, or makes it with a random password.
func passwordOf(file string) (string, error) {
	password, err := readPassword(file)
	if errors.Is(err, fs.ErrNotExist) {
		password, err = writePassword(file)
	}
	return password, err
}

// Load opens the key in keystoreFile. Errors name the file at fault and say how to mend it.
func Load(keystoreFile, passwordFile string) (*protocol.KeySigner, error) {
	if keystoreFile == "" {
		return nil, fmt.Errorf("no keystore file given: make one with `kinora wallet new` and name it with --keystore")
	}
	encrypted, err := os.ReadFile(keystoreFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("keystore file %s does not exist: make a key with `kinora wallet new`, or correct --keystore", keystoreFile)
	case err != nil:
		return nil, fmt.Errorf("read keystore file: %w (the user that runs this program must be able to read it)", err)
	}
	password, err := readPassword(passwordFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("password file %s of keystore %s does not exist: correct --password-file", passwordFile, keystoreFile)
	case err != nil:
		return nil, err
	}
	key, err := keystore.DecryptKey(encrypted, password)
	switch {
	case errors.Is(err, keystore.ErrDecrypt):
		return nil, fmt.Errorf("keystore file %s does not open with the password in %s: one of the two belongs to another key", keystoreFile, passwordFile)
	case err != nil:
		return nil, fmt.Errorf("keystore file %s is not a V3 keystore: %w", keystoreFile, err)
	}
	return protocol.NewKeySigner(key.PrivateKey), nil
}

// readPassword is the file's first line.
func readPassword(file string) (string, error) {
	if file == "" {
		return "", fmt.Errorf("no password file given: name it with --password-file")
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read password file: %w", err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	line = strings.TrimSuffix(line, "\r")
	if line == "" {
		return "", fmt.Errorf("password file %s has an empty first line: write the password there", file)
	}
	return line, nil
}

func writePassword(file string) (string, error) {
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails, says crypto/rand
	password := hex.EncodeToString(b[:])
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", fmt.Errorf("create directory of password file: %w", err)
	}
	if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write password file: %w", err)
	}
	return password, nil
}
