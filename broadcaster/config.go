// Package broadcaster is the role that takes a live stream in and gives a verified ladder out, paying for each segment
// once it has checked it.
package broadcaster

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/broadcaster/internal/discover"
	"github.com/kinora/kinora/internal/passport"
	"github.com/kinora/kinora/internal/protocol"
)

// Config of a broadcaster. Amounts are wei.
type Config struct {
	HTTP        string `help:"Address to listen on; port 0 takes a free one." default:"127.0.0.1:8935"`
	DatabaseURL string `help:"Postgres database of this broadcaster, as a URL."`
	ChainRPC    string `name:"chain-rpc" help:"JSON-RPC URL of an Ethereum node; several separated by commas, the preferred first."`
	Escrow      string `help:"Address of the TicketEscrow contract."`
	Keystore    string `help:"Keystore file of this broadcaster's account, or of a session key of --payer."`
	Payer       string `help:"Account whose money is spent, when --keystore is a session key that it authorised (kinora wallet authorise); its own key is not needed here. Empty: the keystore's account."`
	// PasswordFile, not the password: it must not be seen in a list of processes.
	PasswordFile string `help:"File with the keystore's password."`
	Data         string `help:"Folder for segments." default:"kinora-data/broadcaster"`
	MediaChild   string `help:"Path of kinora-media; empty: beside this program, or in PATH."`

	Orchestrators             []string      `name:"orchestrator" help:"URL of an orchestrator, best with its ADDRESS@ before it: then nobody else is taken for it, and it needs no certificate of an authority. May be given several times; two or more make failover immediate."`
	InsecureCleartext         bool          `help:"Let http:// leave this machine, for whoever is on the way to read and change: only where the network itself is trusted."`
	Registry                  string        `help:"Address of a ServiceRegistry to find orchestrators in. Empty: none."`
	RegistryFromBlock         uint64        `help:"Block before which the registry has nothing: the one it was deployed in. It is read once." default:"0"`
	RegistryConfirmations     uint64        `help:"Blocks that follow a registration before it counts." default:"6"`
	OrchestratorList          string        `help:"URL of a signed list of orchestrators; https, or on loopback. Empty: none."`
	OrchestratorListSigner    string        `help:"Account whose signature the list of --orchestrator-list must bear."`
	DiscoverLoopback          bool          `help:"Also take orchestrators on this machine from registry and list: for trials."`
	AllowOrchestrators        []string      `name:"allow-orchestrator" help:"Address of an orchestrator to deal with, and with no other; may be given several times."`
	DenyOrchestrators         []string      `name:"deny-orchestrator" help:"Address of an orchestrator never to deal with; may be given several times."`
	KeepAllocated             int           `help:"Orchestrators that are kept an allocation, and so given work: the best of those that are known." default:"4"`
	Region                    string        `help:"Where this broadcaster is, as orchestrators name places: those near it are preferred until their distance is measured."`
	MaxWeiPerPixel            protocol.Wei  `help:"Dearest price paid, wei per encoded pixel." default:"1000000000"`
	AllocationPerOrchestrator protocol.Wei  `help:"What is kept allocated to each orchestrator, wei." default:"2000000000000000000"`
	SpendPerHour              protocol.Wei  `help:"Most that is spent within an hour, wei." default:"20000000000000000000"`
	SpendPerDay               protocol.Wei  `help:"Most that is spent within a day, wei; 0: no bound of its own." default:"0"`
	SpendPerStream            protocol.Wei  `help:"Most that is spent on one stream within a day, wei; 0: no bound of its own." default:"0"`
	SpendTotal                protocol.Wei  `help:"Most that is ever spent, wei." default:"100000000000000000000"`
	MaxFeePerGas              protocol.Wei  `help:"Never pay more for gas, in wei, when allocating; 0: no bound." default:"0"`
	WarnRunway                time.Duration `help:"Warn when money lasts less than this at the rate of the last hour." default:"6h"`
	PushSecretFile            string        `help:"File with the secret that pushes must bring; required unless --http is loopback."`

	Ladder          string        `help:"Ladder of pushes that bring none: JSON list of profiles, or @FILE; rungs not smaller than the source are dropped. Empty: 240p and 160p."`
	MinRungs        int           `help:"Rungs below which a ladder is of no use, when the market refuses more for want of capacity, price or money." default:"1"`
	PassThrough     bool          `help:"Publish the source alone, unpaid, when not even so many rungs can be had, or a segment would be late." default:"true" negatable:""`
	StopAfter       time.Duration `help:"How long the source alone goes on before the stream stops. 0s: for ever." default:"0s"`
	ClimbAfter      time.Duration `help:"How long a stream that does with less waits before it tries a step back up; doubled where that fails." default:"5s"`
	SegmentDuration time.Duration `help:"Usual duration of a segment: the least target duration of playlists." default:"2s"`
	HoldBack        int           `help:"Target durations after its last source byte from which a segment is late." default:"3"`
	Retention       time.Duration `help:"How long segments are kept; playlists list half of it. 0s: for ever." default:"2m"`
	KeepRecords     time.Duration `help:"How long verdicts, receipts and segments are on record once they left the playlists; totals stay. 0s: for ever." default:"168h"`
	StreamIdle      time.Duration `help:"A stream without a push for so long has ended." default:"60s"`

	MaxSegmentBytes    int64         `help:"Largest segment taken, bytes." default:"67108864"`
	MaxSegmentDuration time.Duration `help:"Longest segment taken." default:"20s"`
	MaxPixels          int           `help:"Largest source picture taken, pixels." default:"9437184"`
	MinBodyRate        int64         `help:"Bytes a second that a push must keep up on average." default:"4096"`
	BodyGrace          time.Duration `help:"Time before --min-body-rate counts, and the longest pause in a body." default:"4s"`
	MaxStreams         int           `help:"Live streams at a time." default:"32"`
	MaxInFlight        int           `help:"Segments of one stream at a time." default:"16"`
	MaxPushesPerSecond float64       `help:"Pushes a second to one stream." default:"20"`
	MaxAttempts        int           `help:"Failures after which a segment is given up." default:"12"`

	Parties map[string]string `name:"party" help:"NAME=ADDRESS: what the page calls an account; may be given several times."`

	OnReady func(Ready) `kong:"-" json:"-" yaml:"-"` // called once, when allocations stand and pushes are welcome
}

// Ready says where a running broadcaster is.
type Ready struct {
	HTTP    string // host:port
	Address common.Address
}

// Validate names the field that cannot be.
func (c Config) Validate() error {
	bad := func(flag, format string, args ...any) error { return fmt.Errorf("--"+flag+": "+format, args...) }
	host, _, err := net.SplitHostPort(c.HTTP)
	if err != nil {
		return bad("http", "%q: want host:port", c.HTTP)
	}
	if c.PushSecretFile == "" && !loopback(host) {
		return bad("push-secret-file", "needed when --http is %s: without a secret only loopback is served", c.HTTP)
	}
	for _, f := range []struct{ flag, v string }{{"database-url", c.DatabaseURL}, {"chain-rpc", c.ChainRPC}, {"keystore", c.Keystore},
		{"password-file", c.PasswordFile}, {"data", c.Data}} {
		if f.v == "" {
			return bad(f.flag, "is missing")
		}
	}
	if !common.IsHexAddress(c.Escrow) || common.HexToAddress(c.Escrow) == (common.Address{}) {
		return bad("escrow", "%q: want the contract's address", c.Escrow)
	}
	if c.Payer != "" && (!common.IsHexAddress(c.Payer) || common.HexToAddress(c.Payer) == (common.Address{})) {
		return bad("payer", "%q: want an account's address", c.Payer)
	}
	if len(c.Orchestrators) == 0 && c.Registry == "" && c.OrchestratorList == "" {
		return bad("orchestrator", "name at least one, or where to find them: --registry, --orchestrator-list")
	}
	if err := c.discovery(); err != nil {
		return err
	}
	for _, o := range c.Orchestrators {
		at, err := passport.ParseEndpoint(o)
		if err != nil {
			return bad("orchestrator", "%w", err)
		}
		if u, err := url.Parse(at.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return bad("orchestrator", "%q: want http://host:port or https://host", o)
		}
		if err := passport.CheckClear(at.URL); err != nil && !c.InsecureCleartext {
			return bad("orchestrator", "%w", err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Parties)) {
		if address := c.Parties[name]; !common.IsHexAddress(address) {
			return bad("party", "%s=%s: want an address", name, address)
		}
	}
	if _, err := c.ladder(); err != nil {
		return bad("ladder", "%w", err)
	}
	for _, f := range []struct {
		flag     string
		v        protocol.Wei
		optional bool
	}{{"max-wei-per-pixel", c.MaxWeiPerPixel, true}, {"allocation-per-orchestrator", c.AllocationPerOrchestrator, false}, {"spend-per-hour", c.SpendPerHour, false},
		{"spend-per-day", c.SpendPerDay, true}, {"spend-per-stream", c.SpendPerStream, true}, {"spend-total", c.SpendTotal, false}, {"max-fee-per-gas", c.MaxFeePerGas, true}} {
		switch {
		case !f.optional && (f.v.IsZero() || !f.v.FitsUint96()):
			return bad(f.flag, "%s: want 1 to 2^96-1 wei", f.v)
		case !f.v.FitsUint96():
			return bad(f.flag, "%s: want at most 2^96-1 wei", f.v)
		}
	}
	longest := protocol.MaxSegmentMillis * time.Millisecond / 2
	for _, f := range []struct {
		flag string
		ok   bool
		have any
		want string
	}{
		{"warn-runway", c.WarnRunway >= 0, c.WarnRunway, "0 or more"},
		{"max-segment-duration", c.MaxSegmentDuration > 0 && c.MaxSegmentDuration <= longest, c.MaxSegmentDuration, fmt.Sprintf("more than 0, at most %s", longest)},
		{"segment-duration", c.SegmentDuration > 0 && c.SegmentDuration <= c.MaxSegmentDuration, c.SegmentDuration, "more than 0, at most --max-segment-duration"},
		{"hold-back", c.HoldBack >= 1 && c.HoldBack <= 100, c.HoldBack, "1 to 100"},
		{"retention", c.Retention >= 0, c.Retention, "0 or more"},
		{"keep-records", c.KeepRecords == 0 || c.KeepRecords >= 24*time.Hour, c.KeepRecords, "0 or at least 24h: a restart reads what the day's spend caps count from them"},
		{"stream-idle", c.StreamIdle >= time.Second, c.StreamIdle, "at least 1s"},
		{"max-segment-bytes", c.MaxSegmentBytes >= 1<<16 && c.MaxSegmentBytes <= 1<<30, c.MaxSegmentBytes, "65536 to 1073741824"},
		{"max-pixels", c.MaxPixels >= 1<<10, c.MaxPixels, "at least 1024"},
		{"min-body-rate", c.MinBodyRate >= 1, c.MinBodyRate, "at least 1"},
		{"body-grace", c.BodyGrace >= 100*time.Millisecond, c.BodyGrace, "at least 100ms"},
		{"min-rungs", c.MinRungs >= 0 && c.MinRungs <= protocol.MaxProfiles, c.MinRungs, fmt.Sprintf("0 to %d", protocol.MaxProfiles)},
		{"stop-after", c.StopAfter >= 0, c.StopAfter, "0 or more"},
		{"climb-after", c.ClimbAfter >= 0 && c.ClimbAfter <= time.Hour, c.ClimbAfter, "0 to 1h"},
		{"keep-allocated", c.KeepAllocated >= 0, c.KeepAllocated, "0 or more"},
		{"max-streams", c.MaxStreams >= 1, c.MaxStreams, "at least 1"},
		{"max-in-flight", c.MaxInFlight >= 1, c.MaxInFlight, "at least 1"},
		{"max-pushes-per-second", c.MaxPushesPerSecond > 0, c.MaxPushesPerSecond, "more than 0"},
		{"max-attempts", c.MaxAttempts >= 1, c.MaxAttempts, "at least 1"},
	} {
		if !f.ok {
			return bad(f.flag, "%v: want %s", f.have, f.want)
		}
	}
	return nil
}

// discovery names the setting of discovery that cannot be.
func (c Config) discovery() error {
	for _, f := range []struct {
		flag, v  string
		optional bool
	}{{"registry", c.Registry, true}, {"orchestrator-list-signer", c.OrchestratorListSigner, c.OrchestratorList == ""}} {
		if f.v == "" && f.optional {
			continue
		}
		if !common.IsHexAddress(f.v) || common.HexToAddress(f.v) == (common.Address{}) {
			return fmt.Errorf("--%s: %q: want an address", f.flag, f.v)
		}
	}
	if c.OrchestratorList != "" {
		if err := discover.ValidateListURL(c.OrchestratorList); err != nil {
			return fmt.Errorf("--orchestrator-list: %w", err)
		}
	}
	for _, f := range []struct {
		flag string
		list []string
	}{{"allow-orchestrator", c.AllowOrchestrators}, {"deny-orchestrator", c.DenyOrchestrators}} {
		for _, a := range f.list {
			if !common.IsHexAddress(a) {
				return fmt.Errorf("--%s: %q: want an address", f.flag, a)
			}
		}
	}
	if err := protocol.ValidateRegion(c.Region); err != nil {
		return fmt.Errorf("--region: %w", err)
	}
	return nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// defaultLadder suits a 360p source on a small machine.
var defaultLadder = protocol.Ladder{
	{Name: "240p", Width: 426, Height: 240, Bitrate: 400_000, Codec: protocol.H264, Preset: "veryfast"},
	{Name: "160p", Width: 284, Height: 160, Bitrate: 200_000, Codec: protocol.H264, Preset: "veryfast"},
}

func (c Config) ladder() (protocol.Ladder, error) {
	text := c.Ladder
	if text == "" {
		return defaultLadder, nil
	}
	if file, ok := strings.CutPrefix(text, "@"); ok {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		text = string(b)
	}
	var l protocol.Ladder
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		return nil, fmt.Errorf("want a JSON list of profiles: %w", err)
	}
	for i := range l {
		if l[i].Codec == "" {
			l[i].Codec = protocol.H264
		}
	}
	return l, l.Validate()
}

func (c Config) secret() (string, error) {
	if c.PushSecretFile == "" {
		return "", nil
	}
	b, err := os.ReadFile(c.PushSecretFile)
	if err != nil {
		return "", fmt.Errorf("--push-secret-file: %w", err)
	}
	s := strings.TrimSpace(string(b))
	if len(s) < 12 {
		return "", errors.New("--push-secret-file: the secret must have at least 12 characters")
	}
	return s, nil
}
