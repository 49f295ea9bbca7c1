// Package orchestrator is the role that sells transcoding: it quotes a price, takes segments against credit, auctions the
// work among transcoders, verifies what comes back, pays for it and is paid.
package orchestrator

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/passport"
	"github.com/kinora/kinora/internal/protocol"
)

// Config is everything that can be set about an orchestrator. Fields that say so in their help may be left zero.
type Config struct {
	HTTP         string `name:"http" help:"Where to serve broadcasters and transcoders." default:"127.0.0.1:8936" placeholder:"HOST:PORT"`
	AdvertiseURL string `name:"advertise-url" help:"URL at which transcoders reach this process; by default the address of --http." placeholder:"URL"`
	TLSCert      string `name:"tls-cert" help:"PEM certificate for --http, of an authority that clients trust. Those that know this orchestrator's address need none: off loopback it makes its own." placeholder:"FILE"`
	TLSKey       string `name:"tls-key" help:"PEM key for --tls-cert." placeholder:"FILE"`
	DatabaseURL  string `name:"database-url" help:"Postgres database; replicas share one." placeholder:"URL"`
	NATS         string `name:"nats" help:"NATS server of the market; several separated by commas." default:"nats://127.0.0.1:4222" placeholder:"URL"`
	NATSCreds    string `name:"nats-creds" help:"File with credentials for NATS, if it asks for any." placeholder:"FILE"`
	NATSListen   string `name:"nats-listen" help:"Run the NATS server of the market in this process, at this address, instead of --nats; off loopback it speaks TLS." placeholder:"HOST:PORT"`
	NATSAuthKeys string `name:"nats-auth-keys" help:"File of keys (kinora orchestrator nats-keys) by which this process answers for the servers of --nats who may enter." placeholder:"FILE"`
	ChainRPC     string `name:"chain-rpc" help:"JSON-RPC endpoint of the chain that settles; several separated by commas, the preferred first." placeholder:"URL"`
	Escrow       string `name:"escrow" help:"Address of the TicketEscrow contract." placeholder:"ADDRESS"`
	Keystore     string `name:"keystore" help:"Keystore file of this orchestrator's account: who it is on the market, and who is paid." placeholder:"FILE"`
	Payer        string `name:"payer" help:"Account whose escrow pays transcoders, when --keystore is a session key that it authorised (kinora wallet authorise); its own key is not needed here. Empty: the keystore's account." placeholder:"ADDRESS"`
	IncomeTo     string `name:"income-to" help:"Account that redeemed winners are paid out to. Empty: they are credited to the keystore's account in the escrow." placeholder:"ADDRESS"`
	PasswordFile string `name:"password-file" help:"File with the keystore's password." placeholder:"FILE"`
	Data         string `name:"data" help:"Not used: everything that lasts is in Postgres." hidden:""`
	MediaChild   string `name:"media-child" help:"The kinora-media program; by default the one beside this program." placeholder:"FILE"`

	InsecureCleartext bool `name:"insecure-cleartext" help:"Let http:// and nats:// leave this machine, for whoever is on the way to read and change: only where the network itself is trusted."`

	Region          string        `name:"region" help:"Where this orchestrator is, as the market names places: broadcasters near it prefer it until they have measured." placeholder:"NAME"`
	WeiPerPixel     protocol.Wei  `name:"wei-per-pixel" help:"Price of an encoded pixel, in wei; transcoders are never paid more." default:"150" placeholder:"WEI"`
	HEVCWeiPerPixel protocol.Wei  `name:"hevc-wei-per-pixel" help:"Price of a pixel encoded in HEVC, in wei; 0: not sold." default:"0" placeholder:"WEI"`
	AV1WeiPerPixel  protocol.Wei  `name:"av1-wei-per-pixel" help:"Price of a pixel encoded in AV1, in wei; 0: not sold." default:"0" placeholder:"WEI"`
	Auction         string        `name:"auction" help:"What winners of leases are paid: by second-score what they could have asked and still won, so that they do best to bid what they need; by pay-as-bid their bid." default:"second-score" placeholder:"second-score|pay-as-bid"`
	KeepPercent     uint32        `name:"keep-percent" help:"Part of its own price, in percent, that is never paid to transcoders: dearer bids do not win, and a lone bidder does not get it all." default:"10"`
	AuctionEpoch    time.Duration `name:"auction-epoch" help:"How long bids stay sealed: then everything that auctions followed from is shown, for kinora audit." default:"5m"`
	KeepAuctions    time.Duration `name:"keep-auctions" help:"How long it is shown." default:"6h"`
	BidWait         time.Duration `name:"bid-wait" help:"How long bids are waited for that are asked for because nobody has a standing price for a ladder, up to 250ms; 0: none are asked for." default:"5ms"`
	QuoteValid      time.Duration `name:"quote-valid" help:"How long a quote stands." default:"1m"`

	AllocationPerTranscoder protocol.Wei `name:"allocation-per-transcoder" help:"Kept allocated in the escrow to each transcoder, in wei: what backs the tickets it is paid with." default:"10000000000000000" placeholder:"WEI"`
	OpenMarket              bool         `name:"open-market" help:"Let anybody with an identity bid, not only transcoders with a join token (kinora orchestrator join-token create)."`
	Orchestrators           []string     `name:"market-orchestrator" help:"Address of another orchestrator that may use this market's NATS; may be given several times. It sees every bid." placeholder:"ADDRESS"`

	MaxTranscoders int           `name:"max-transcoders" help:"Transcoders that are given an allocation, at most." default:"64"`
	MinTranscoders int           `name:"min-transcoders" help:"Allocated transcoders before /readyz says ready." default:"0"`
	TopUpInterval  time.Duration `name:"top-up-interval" help:"How often allocations are looked at, and topped up below half." default:"10s"`

	SpendPerHour   protocol.Wei  `name:"spend-per-hour" help:"Most that transcoders are paid within an hour, in wei; 0: no bound." default:"0" placeholder:"WEI"`
	SpendPerDay    protocol.Wei  `name:"spend-per-day" help:"Most that transcoders are paid within a day, in wei; 0: no bound." default:"0" placeholder:"WEI"`
	SpendPerStream protocol.Wei  `name:"spend-per-stream" help:"Most that transcoders are paid for one stream within a day, in wei; 0: no bound." default:"0" placeholder:"WEI"`
	SpendTotal     protocol.Wei  `name:"spend-total" help:"Most that transcoders are ever paid, in wei; 0: no bound." default:"0" placeholder:"WEI"`
	WarnRunway     time.Duration `name:"warn-runway" help:"Warn when the money for transcoders lasts less than this at the rate of the last hour; 0: 6h." default:"6h"`

	LeaseTime       time.Duration `name:"lease-time" help:"Length of a lease; it is renewed at half time while in use." default:"30s"`
	LeaseIdle       time.Duration `name:"lease-idle" help:"A lease without a segment for so long is released." default:"10s"`
	AwardTimeout    time.Duration `name:"award-timeout" help:"How long a transcoder may take to answer an offer." default:"1s"`
	SlotTimeout     time.Duration `name:"slot-timeout" help:"How long the holder of a lease may take to park a slot." default:"2s"`
	Backoff         time.Duration `name:"backoff" help:"No award to a transcoder that declined or failed for so long." default:"2s"`
	MaxAttempts     int           `name:"max-attempts" help:"Attempts at one segment, at most." default:"4"`
	MaxInFlight     int           `name:"max-in-flight" help:"Segments at once, at most." default:"256"`
	MaxSegmentBytes int64         `name:"max-segment-bytes" help:"Size of a segment, at most." default:"67108864"`
	BodyIdle        time.Duration `name:"body-idle" help:"Longest pause in a segment's body." default:"10s"`
	KeepHistory     time.Duration `name:"keep-history" help:"How long settled attempts, with their signed receipts, and ended sampling epochs are kept; 0: a week." default:"168h"`
	DrainTimeout    time.Duration `name:"drain-timeout" help:"How long segments in flight may take when shutting down." default:"10s"`

	TicketUsable      time.Duration `name:"ticket-usable" help:"How long payers may write tickets of one parameter set; the next set is handed out at half of it. 0: 5m." default:"0"`
	TicketAccept      time.Duration `name:"ticket-accept" help:"How long tickets of a set are accepted, from when it was handed out; longer than --ticket-usable, for those on the way. 0: a minute longer." default:"0"`
	TicketRedeem      time.Duration `name:"ticket-redeem" help:"When winners of a set may be redeemed, which shows its secret; longer than --ticket-accept. 0: 10s longer." default:"0"`
	TicketLifetime    time.Duration `name:"ticket-lifetime" help:"How long a winning ticket can be redeemed; with --ticket-accept below the escrow's thaw period. 0: half that period, at most 24h." default:"0"`
	FaceValueMultiple uint64        `name:"face-value-multiple" help:"Face value of a ticket in usual segment fees, at least, so that one in so many wins or fewer; 1: every ticket may win. 0: 10, or more where gas asks for it." default:"0"`
	CreditWindow      protocol.Wei  `name:"credit-window" help:"Most unpaid work per broadcaster, in wei; 0: bounded by its allocation alone." default:"0" placeholder:"WEI"`

	Confirmations uint64       `name:"confirmations" help:"Blocks after which a redemption counts as paid for ever." default:"6"`
	MaxGasPercent uint64       `name:"max-gas-percent" help:"Part of what a redemption pays that its gas may cost, in percent; while it costs more, winners wait, until a quarter of their life is left. 0: whatever it costs." default:"50"`
	MaxFeePerGas  protocol.Wei `name:"max-fee-per-gas" help:"Never pay more for gas, in wei; 0: no bound." default:"0" placeholder:"WEI"`

	Relay       bool   `name:"relay" help:"Redeem for the transcoders it has paid, for a fee that covers the gas." default:"true" negatable:""`
	RelayMargin uint64 `name:"relay-margin" help:"What that fee is above the gas, in percent of it." default:"25"`

	OnReady func(Ready) `kong:"-" yaml:"-" json:"-"` // called once when requests are served
}

// Ready says where an orchestrator is.
type Ready struct {
	HTTP    string // host:port
	Address common.Address
}

// Validate names the first setting that cannot be.
func (c Config) Validate() error {
	host, _, err := net.SplitHostPort(c.HTTP)
	if err != nil {
		return fmt.Errorf("--http: %q is not host:port", c.HTTP)
	}
	if err := chain.CheckURLs(c.ChainRPC); err != nil {
		return fmt.Errorf("--chain-rpc: %w", err)
	}
	if c.AdvertiseURL != "" {
		if u, err := url.Parse(c.AdvertiseURL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return fmt.Errorf("--advertise-url: %q is not an http or https URL", c.AdvertiseURL)
		}
		if err := c.clear(c.AdvertiseURL); err != nil {
			return fmt.Errorf("--advertise-url: %w", err)
		}
	} else if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		return fmt.Errorf("--advertise-url: --http %s listens everywhere, so transcoders must be told where to dial", c.HTTP)
	}
	for _, f := range []struct {
		name string
		bad  bool
		want string
	}{
		{"region", protocol.ValidateRegion(c.Region) != nil, fmt.Sprintf("printable ASCII without blanks, at most %d bytes", protocol.MaxRegion)},
		{"tls-cert", (c.TLSCert == "") != (c.TLSKey == ""), "--tls-cert and --tls-key go together"},
		{"database-url", c.DatabaseURL == "", "a Postgres database is needed, such as postgres://user@host/kinora"},
		{"nats", c.NATS == "" && c.NATSListen == "", "the URL of a NATS server is needed, or --nats-listen"},
		{"nats-listen", c.NATSListen != "" && (c.NATSAuthKeys != "" || c.NATSCreds != ""), "--nats-auth-keys and --nats-creds are for a NATS server elsewhere"},
		{"open-market", c.OpenMarket && c.NATSListen == "" && c.NATSAuthKeys == "", "who may enter is decided here only with --nats-listen or --nats-auth-keys"},
		{"escrow", !isAccount(c.Escrow), "want the address of the contract"},
		{"payer", c.Payer != "" && !isAccount(c.Payer), "want an account's address"},
		{"income-to", c.IncomeTo != "" && (!isAccount(c.IncomeTo) || common.HexToAddress(c.IncomeTo) == common.HexToAddress(c.Escrow)), "want an account's address, and not the escrow's"},
		{"keystore", c.Keystore == "", "a keystore file is needed (`kinora wallet new` makes one)"},
		{"password-file", c.PasswordFile == "", "the file with the keystore's password is needed"},
		{"wei-per-pixel", c.WeiPerPixel.IsZero() || !c.WeiPerPixel.FitsUint96(), "want 1 to 2^96-1"},
		{"hevc-wei-per-pixel", !c.HEVCWeiPerPixel.FitsUint96(), "want 0 to 2^96-1"},
		{"av1-wei-per-pixel", !c.AV1WeiPerPixel.FitsUint96(), "want 0 to 2^96-1"},
		{"allocation-per-transcoder", c.AllocationPerTranscoder.IsZero() || !c.AllocationPerTranscoder.FitsUint96(), "want 1 to 2^96-1"},
		{"spend-per-hour", !c.SpendPerHour.FitsUint96(), "want at most 2^96-1"},
		{"spend-per-day", !c.SpendPerDay.FitsUint96(), "want at most 2^96-1"},
		{"spend-per-stream", !c.SpendPerStream.FitsUint96(), "want at most 2^96-1"},
		{"spend-total", !c.SpendTotal.FitsUint96(), "want at most 2^96-1"},
		{"warn-runway", c.WarnRunway < 0, "want 0 or more"},
		{"auction", c.Auction != "" && !auction.Rule(c.Auction).Valid(), "want second-score or pay-as-bid"},
		{"keep-percent", c.KeepPercent > 90, "want 0 to 90"},
		{"auction-epoch", c.AuctionEpoch != 0 && (c.AuctionEpoch < 10*time.Second || c.AuctionEpoch > 24*time.Hour), "want 10s to 24h, or 0 for 5m"},
		{"bid-wait", c.BidWait < 0 || c.BidWait > protocol.MaxRequestWait*time.Millisecond, "want 0 to 250ms"},
		{"keep-auctions", c.KeepAuctions < 0, "want 0 or more, 0 for 6h"},
		{"quote-valid", c.QuoteValid < time.Second || c.QuoteValid > 24*time.Hour, "want 1s to 24h"},
		{"max-transcoders", c.MaxTranscoders < 1, "want at least 1"},
		{"min-transcoders", c.MinTranscoders < 0 || c.MinTranscoders > c.MaxTranscoders, "want 0 to --max-transcoders"},
		{"top-up-interval", c.TopUpInterval <= 0, "want more than 0"},
		{"lease-time", c.LeaseTime < 2*time.Second || c.LeaseTime > time.Hour, "want 2s to 1h"},
		{"lease-idle", c.LeaseIdle < time.Second, "want at least 1s"},
		{"award-timeout", c.AwardTimeout <= 0, "want more than 0"},
		{"slot-timeout", c.SlotTimeout <= 0, "want more than 0"},
		{"backoff", c.Backoff < 0, "want 0 or more"},
		{"max-attempts", c.MaxAttempts < 1 || c.MaxAttempts > 32, "want 1 to 32"},
		{"max-in-flight", c.MaxInFlight < 1, "want at least 1"},
		{"max-segment-bytes", c.MaxSegmentBytes < 1, "want at least 1"},
		{"body-idle", c.BodyIdle <= 0, "want more than 0"},
		{"keep-history", c.KeepHistory != 0 && c.KeepHistory < c.QuoteValid+time.Hour, "want at least an hour more than --quote-valid, or 0 for a week"},
		{"relay-margin", c.RelayMargin > 10_000, "want 0 to 10000"},
		{"drain-timeout", c.DrainTimeout < 0, "want 0 or more"},
		{"ticket-usable", c.TicketUsable < 0 || c.TicketAccept < 0 || c.TicketRedeem < 0 || c.TicketLifetime < 0, "no ticket time may be negative"},
		{"ticket-accept", c.TicketUsable > 0 && c.TicketAccept > 0 && c.TicketUsable >= c.TicketAccept, "must be longer than --ticket-usable"},
		{"ticket-redeem", c.TicketAccept > 0 && c.TicketRedeem > 0 && c.TicketAccept >= c.TicketRedeem, "must be longer than --ticket-accept"},
	} {
		if f.bad {
			return fmt.Errorf("--%s: %s", f.name, f.want)
		}
	}
	for _, a := range c.Orchestrators {
		if !isAccount(a) {
			return fmt.Errorf("--market-orchestrator: %.60q is no address", a)
		}
	}
	if c.NATSListen != "" {
		if _, _, err := net.SplitHostPort(c.NATSListen); err != nil {
			return fmt.Errorf("--nats-listen: %q is not host:port", c.NATSListen)
		}
		return nil
	}
	at, err := passport.ParseEndpoint(c.NATS)
	if err == nil {
		err = c.clear(at.URL)
	}
	if err != nil {
		return fmt.Errorf("--nats: %w", err)
	}
	return nil
}

// clear refuses URLs that would leave this machine in the clear, if that is not allowed.
func (c Config) clear(urls string) error {
	if c.InsecureCleartext {
		return nil
	}
	return passport.CheckClear(urls)
}

func isAccount(text string) bool {
	return common.IsHexAddress(text) && common.HexToAddress(text) != (common.Address{})
}
