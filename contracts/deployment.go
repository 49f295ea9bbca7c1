// Package contracts reads where the contracts were deployed. Their ABI is in contracts/bindings.
package contracts

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/ethereum/go-ethereum/common"
)

// Deployment is one market's contracts on one chain, as script/Deploy.s.sol wrote them to deployments/CHAINID.json.
type Deployment struct {
	ChainID   uint64         `json:"chain_id"`
	Authority common.Address `json:"authority"`
	Escrow    common.Address `json:"escrow"`
	Asset     common.Address `json:"asset"` // an ERC-20 token; zero is the chain's own asset
	Bond      common.Address `json:"bond"`
	Registry  common.Address `json:"registry"`
}

// ReadDeployment reads such a file, and refuses one that lacks a contract.
func ReadDeployment(path string) (Deployment, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Deployment{}, fmt.Errorf("read deployment: %w", err)
	}
	var d Deployment
	if err := json.Unmarshal(b, &d); err != nil {
		return Deployment{}, fmt.Errorf("read deployment %s: %w", path, err)
	}
	for name, address := range map[string]common.Address{"authority": d.Authority, "escrow": d.Escrow, "bond": d.Bond, "registry": d.Registry} {
		if address == (common.Address{}) {
			return Deployment{}, fmt.Errorf("read deployment %s: no address of the %s", path, name)
		}
	}
	if d.ChainID == 0 {
		return Deployment{}, fmt.Errorf("read deployment %s: no chain id", path)
	}
	return d, nil
}
