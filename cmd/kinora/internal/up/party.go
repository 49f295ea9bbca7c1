package up

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/identity"
	"github.com/kinora/kinora/internal/protocol"
)

// party is one account of the market on this machine.
type party struct {
	Name     string
	Keystore string
	Signer   *protocol.KeySigner
}

// parties loads or makes the accounts, in the order of names. The password file is private to this directory: the
// accounts hold only the money of a chain that lives on this machine.
func parties(dir string, names []string) ([]party, string, error) {
	keys := filepath.Join(dir, "keys")
	if err := os.MkdirAll(keys, 0o700); err != nil {
		return nil, "", err
	}
	password := filepath.Join(keys, "password")
	indexFile := filepath.Join(keys, "index.json")
	index := map[string]string{}
	if b, err := os.ReadFile(indexFile); err == nil {
		if err := json.Unmarshal(b, &index); err != nil {
			return nil, "", fmt.Errorf("%s: %w", indexFile, err)
		}
	}
	all, errs := make([]party, len(names)), make([]error, len(names))
	var made sync.WaitGroup
	for i, name := range names { // each takes a good part of a second of one core
		if i == 1 {
			made.Wait() // the first also makes the password
		}
		file := index[name]
		made.Go(func() {
			if file == "" {
				if _, file, errs[i] = identity.Create(keys, password, identity.LightScrypt()); errs[i] != nil {
					return
				}
			}
			signer, err := identity.Load(file, password)
			all[i], errs[i] = party{name, file, signer}, err
		})
	}
	made.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, "", err
	}
	for _, p := range all {
		index[p.Name] = p.Keystore
	}
	b, _ := json.MarshalIndent(index, "", "  ")
	return all, password, os.WriteFile(indexFile, b, 0o600)
}

func addresses(all []party) map[string]common.Address {
	m := map[string]common.Address{}
	for _, p := range all {
		m[p.Name] = p.Signer.Address()
	}
	return m
}
