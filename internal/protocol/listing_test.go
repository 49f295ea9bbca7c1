package protocol

import (
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
)

func TestValidateOrchestratorURL_takesHTTPSAndLoopbackAlone(t *testing.T) {
	t.Parallel()
	for url, ok := range map[string]bool{"https://orchestrator.example:8936": true, "https://orchestrator.example/": true, "http://127.0.0.1:8936": true,
		"http://localhost:1": true, "http://[::1]:8936": true, "http://orchestrator.example": false, "http://10.0.0.1:8936": false, "ftp://127.0.0.1": false,
		"https://user:word@orchestrator.example": false, "https://orchestrator.example/path": false, "https://orchestrator.example?q": false, "": false,
		"https://" + strings.Repeat("a", 256): false} {
		if err := ValidateOrchestratorURL(url); (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		}
	}
}

func TestDescriptor_isItsOwnURIAndNoOther(t *testing.T) {
	t.Parallel()
	d := Descriptor{URL: "https://orchestrator.example:8936", Region: "eu-west"}
	if got, err := ReadDescriptor(d.URI(), d.Hash()); err != nil || got != d {
		t.Errorf("%+v, %v", got, err)
	}
	other := Descriptor{URL: "https://thief.example", Region: "eu-west"}
	for what, uri := range map[string]string{"another document": other.URI(), "an address to fetch it from": d.URL, "no base64": descriptorPrefix + "!"} {
		if _, err := ReadDescriptor(uri, d.Hash()); err == nil {
			t.Errorf("%s was taken", what)
		}
	}
	if n := len(Descriptor{URL: "https://" + strings.Repeat("a", maxURL-8), Region: strings.Repeat("r", MaxRegion)}.URI()); n > 512 {
		t.Errorf("the longest URI has %d bytes, the registry takes 512", n)
	}
}

func TestList_namesTheEntryThatCannotBe(t *testing.T) {
	t.Parallel()
	if err := sampleList.Validate(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*List){
		"publisher":                 func(l *List) { l.Publisher = common.Address{} },
		"orchestrators[1]: account": func(l *List) { l.Orchestrators[1].Account = common.Address{} },
		"orchestrators[0]: url":     func(l *List) { l.Orchestrators[0].URL = "http://orchestrator.example" },
		"orchestrators[0]: region":  func(l *List) { l.Orchestrators[0].Region = strings.Repeat("r", 33) },
		"orchestrators[1]: region":  func(l *List) { l.Orchestrators[1].Region = "eu\x00" },
		"orchestrators[1]: url":     func(l *List) { l.Orchestrators[1].URL = "https://a\u009b31m.example" },
		"want printable ASCII":      func(l *List) { l.Orchestrators[0].Region = "\x1b[31meu" },
		"at most 4096":              func(l *List) { l.Orchestrators = make([]Listing, MaxListings+1) },
	} {
		l := sampleList
		l.Orchestrators = append([]Listing{}, l.Orchestrators...)
		spoil(&l)
		if err := l.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
