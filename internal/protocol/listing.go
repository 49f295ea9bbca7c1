package protocol

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// MaxRegion bounds a region's name, in bytes.
const MaxRegion = 32

// Listing is one orchestrator as somebody says where it is. It is a hint: an orchestrator is trusted by what it signs itself.
type Listing struct {
	Account common.Address `json:"account"`
	URL     string         `json:"url"`
	Region  string         `json:"region,omitempty"`
}

const listingTypeString = "Listing(address account,string url,string region)"

var listingType = crypto.Keccak256Hash([]byte(listingTypeString))

// Validate names the field that cannot be.
func (l Listing) Validate() error {
	if l.Account == (common.Address{}) {
		return fmt.Errorf("account is the zero address")
	}
	if err := ValidateRegion(l.Region); err != nil {
		return err
	}
	return ValidateOrchestratorURL(l.URL)
}

// ValidateRegion accepts what may be stored and shown anywhere: printable ASCII without blanks, or nothing.
func ValidateRegion(region string) error {
	if len(region) > MaxRegion {
		return fmt.Errorf("region has %d bytes, at most %d", len(region), MaxRegion)
	}
	if !plain(region) {
		return fmt.Errorf("region %q: want printable ASCII without blanks", region)
	}
	return nil
}

func plain(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

// maxURL bounds the URL of an orchestrator, in bytes.
const maxURL = 256

// ValidateOrchestratorURL accepts https://host[:port], and plain http on loopback alone: what is sent there is signed, but who
// listens in learns what is bought.
func ValidateOrchestratorURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || len(text) > maxURL || !plain(text) || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		return fmt.Errorf("url %.80q: want https://host[:port] of at most %d bytes of ASCII, nothing behind it", text, maxURL)
	case u.Scheme == "https" || u.Scheme == "http" && IsLoopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf("url %.80q: want https, or http on loopback", text)
}

// IsLoopback reports whether a URL's host is this machine by its name alone.
func IsLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Descriptor is the document an orchestrator registers on chain: where it is. It is small enough to be the URI itself, so
// that who reads the registry fetches nothing from anybody.
type Descriptor struct {
	URL    string `json:"url"`
	Region string `json:"region,omitempty"`
}

const descriptorPrefix = "data:application/json;base64,"

// URI holds the whole document.
func (d Descriptor) URI() string {
	return descriptorPrefix + base64.StdEncoding.EncodeToString(Encode(d))
}

// Hash is of the document.
func (d Descriptor) Hash() common.Hash { return crypto.Keccak256Hash(Encode(d)) }

// ReadDescriptor reads a registered URI, and refuses it unless its document has the registered hash.
func ReadDescriptor(uri string, hash common.Hash) (Descriptor, error) {
	var d Descriptor
	text, ok := strings.CutPrefix(uri, descriptorPrefix)
	if !ok {
		return d, fmt.Errorf("uri %.60q: want the document itself, %s…", uri, descriptorPrefix)
	}
	document, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return d, fmt.Errorf("uri %.60q: %w", uri, err)
	}
	if crypto.Keccak256Hash(document) != hash {
		return d, fmt.Errorf("the document's hash is not the registered one, %s", hash)
	}
	if err := json.Unmarshal(document, &d); err != nil {
		return d, fmt.Errorf("document: %w", err)
	}
	return d, nil
}

// MaxListings bounds a list.
const MaxListings = 4096

// List is a publisher's list of orchestrators: what a webhook answers. A list replaces those with a lower Sequence.
type List struct {
	Publisher     common.Address `json:"publisher"`
	Sequence      uint64         `json:"sequence"`
	Orchestrators []Listing      `json:"orchestrators"`
}

const listTypeString = "List(address publisher,uint64 sequence,Listing[] orchestrators)" + listingTypeString

var listType = crypto.Keccak256Hash([]byte(listTypeString))

// StructHash is the EIP-712 struct hash.
func (l List) StructHash() common.Hash {
	words := make([]word, len(l.Orchestrators))
	for i, o := range l.Orchestrators {
		words[i] = word(structHash(listingType, addr(o.Account), str(o.URL), str(o.Region)))
	}
	return structHash(listType, addr(l.Publisher), u64(l.Sequence), word(arrayHash(words)))
}

// SignedBy is the publisher.
func (l List) SignedBy() common.Address { return l.Publisher }

// Validate names the field that cannot be.
func (l List) Validate() error {
	switch {
	case l.Publisher == common.Address{}:
		return fmt.Errorf("publisher is the zero address")
	case len(l.Orchestrators) > MaxListings:
		return fmt.Errorf("%d orchestrators, at most %d", len(l.Orchestrators), MaxListings)
	}
	for i, o := range l.Orchestrators {
		if err := o.Validate(); err != nil {
			return fmt.Errorf("orchestrators[%d]: %w", i, err)
		}
	}
	return nil
}
