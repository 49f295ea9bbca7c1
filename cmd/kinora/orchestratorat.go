package main

import (
	"fmt"
	"net/http"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/passport"
	"github.com/kinora/kinora/internal/protocol"
)

// orchestratorAt is the orchestrator that a command asks.
type orchestratorAt struct {
	Orchestrator      string `help:"URL of the orchestrator, best with its ADDRESS@ before it: then nobody else is taken for it, and it needs no certificate of an authority." required:"" placeholder:"URL"`
	InsecureCleartext bool   `help:"Let http:// leave this machine, for whoever is on the way to read and change."`
}

// orchestratorPatience bounds how long it may take to answer.
const orchestratorPatience = 10 * time.Second

// dial returns its URL, and the client for it.
func (o orchestratorAt) dial(domain protocol.Domain) (*http.Client, passport.Endpoint, error) {
	at, err := passport.ParseEndpoint(o.Orchestrator)
	if err != nil {
		return nil, at, fmt.Errorf("--orchestrator: %w", err)
	}
	return clientOf(at, domain, o.InsecureCleartext, orchestratorPatience), at, nil
}

// clientOf is a client for the server at an endpoint and no other.
func clientOf(at passport.Endpoint, domain protocol.Domain, cleartext bool, patience time.Duration) *http.Client {
	return &http.Client{Timeout: patience,
		Transport: passport.NewTrust(domain).Transport(new(http.Transport), func(string) common.Address { return at.Identity }, cleartext)}
}
