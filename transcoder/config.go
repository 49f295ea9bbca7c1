// Package transcoder is the role of a machine's owner who sells its encoders: it bids for work, turns each Segment it is
// assigned into Renditions and a signed Receipt, and is paid in tickets, which it redeems.
package transcoder

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/passport"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/encode"
)

// Encoder makes renditions and Session is one lease's share of it; Config.Encoder replaces the one that runs kinora-media.
type (
	Encoder = encode.Encoder
	Session = encode.Session
)

// Config is everything that can be set about a transcoder. Fields that say so in their help may be left zero.
type Config struct {
	HTTP          string `name:"http" help:"Where to serve status, metrics and events; keep it on loopback." default:"127.0.0.1:0" placeholder:"HOST:PORT"`
	NATS          string `name:"nats" help:"NATS server of the market; several separated by commas. ADDRESS@ of the orchestrator before it takes no other market for it." default:"nats://127.0.0.1:4222" placeholder:"URL"`
	NATSCreds     string `name:"nats-creds" help:"File with credentials for NATS, if it asks for any." placeholder:"FILE"`
	JoinTokenFile string `name:"join-token-file" help:"File with the join token that the market's orchestrator gave you; needed the first time, where the market is not open." placeholder:"FILE"`
	ChainRPC      string `name:"chain-rpc" help:"JSON-RPC endpoint of the chain that settles; several separated by commas, the preferred first." placeholder:"URL"`
	Escrow        string `name:"escrow" help:"Address of the TicketEscrow contract." placeholder:"ADDRESS"`
	Keystore      string `name:"keystore" help:"Keystore file of this transcoder's account." placeholder:"FILE"`
	PasswordFile  string `name:"password-file" help:"File with the keystore's password." placeholder:"FILE"`
	Data          string `name:"data" help:"Folder for receipts, winning tickets and what was measured of this machine; back it up." default:"kinora-transcoder" placeholder:"DIR"`
	MediaChild    string `name:"media-child" help:"The kinora-media program; by default the one beside this program." placeholder:"FILE"`

	InsecureCleartext bool `name:"insecure-cleartext" help:"Let http:// and nats:// leave this machine, for whoever is on the way to read and change: only where the network itself is trusted."`

	Region      string       `name:"region" help:"Where this machine is, as orchestrators of the market name places."`
	WeiPerPixel protocol.Wei `name:"wei-per-pixel" help:"Price of an encoded pixel, in wei." default:"100" placeholder:"WEI"`
	PriceCurve  PriceCurve   `name:"price-curve" help:"How prices rise as the machine fills, such as 50=100,80=130,100=200: percent of what it sells, percent of the price, straight between. Empty: not at all." placeholder:"LOAD=PRICE,..."`
	OnRequest   Codecs       `name:"on-request" help:"Codecs, such as hevc,av1, that are sold to orchestrators that ask for bids on a piece of work, and not in the standing bid." placeholder:"CODEC,..."`
	PowerTariff protocol.Wei `name:"power-tariff" help:"Price of a kilowatt-hour, in wei: no pixel is sold for less than its power costs. 0: no such floor." default:"0" placeholder:"WEI"`
	PowerWatts  uint64       `name:"power-watts" help:"Watts that this machine draws more when it is full than when it is idle; 0: as its devices are seen to draw, where they tell." default:"0"`
	Capacity    PixelRates   `name:"capacity" help:"Encoded pixels a second to sell, by codec, such as h264=60000000; 0: as measured (kinora transcoder tune), or a cautious guess before that." default:"0" placeholder:"PIXELS"`
	FreeSlots   int          `name:"free-slots" help:"Leases to hold at once, at most; 0: as many as the measured rates hold." default:"0"`

	Encoders string `name:"encoders" help:"Encoders to use: with auto those of a GPU where they were found to work, and the CPU's for the rest; with cpu the CPU's alone." default:"auto" placeholder:"auto|cpu"`

	LeaseIdle    time.Duration `name:"lease-idle" help:"A lease without a segment for so long lapses." default:"15s"`
	DrainTimeout time.Duration `name:"drain-timeout" help:"How long segments in progress may take when shutting down." default:"10s"`

	TicketUsable      time.Duration `name:"ticket-usable" help:"How long payers may write tickets of one parameter set; the next set is handed out at half of it. 0: 5m." default:"0"`
	TicketAccept      time.Duration `name:"ticket-accept" help:"How long tickets of a set are accepted, from when it was handed out; longer than --ticket-usable, for those on the way. 0: a minute longer." default:"0"`
	TicketRedeem      time.Duration `name:"ticket-redeem" help:"When winners of a set may be redeemed, which shows its secret; longer than --ticket-accept. 0: 10s longer." default:"0"`
	TicketLifetime    time.Duration `name:"ticket-lifetime" help:"How long a winning ticket can be redeemed; with --ticket-accept below the escrow's thaw period. 0: half that period, at most 24h." default:"0"`
	FaceValueMultiple uint64        `name:"face-value-multiple" help:"Face value of a ticket in usual segment fees, at least, so that one in so many wins or fewer; 1: every ticket may win. 0: 10, or more where gas asks for it." default:"0"`
	CreditWindow      protocol.Wei  `name:"credit-window" help:"Most unpaid work per orchestrator, in wei; 0: bounded by its allocation alone." default:"0" placeholder:"WEI"`

	Confirmations uint64       `name:"confirmations" help:"Blocks after which a redemption counts as paid for ever." default:"6"`
	MaxGasPercent uint64       `name:"max-gas-percent" help:"Part of what a redemption pays that its gas may cost, in percent; while it costs more, winners wait, until a quarter of their life is left. 0: whatever it costs." default:"50"`
	MaxFeePerGas  protocol.Wei `name:"max-fee-per-gas" help:"Never pay more for gas, in wei; 0: no bound." default:"0" placeholder:"WEI"`

	RelayAlways bool   `name:"relay-always" help:"Let orchestrators redeem for a fee also when this account has gas; without it they do only while it has none."`
	RelayPayout string `name:"relay-payout" help:"Address outside the escrow that redemptions by others are paid out to; this account's own gets it its first gas. Empty: they stay in the escrow, as income." placeholder:"ADDRESS"`

	Owner string `name:"owner" help:"Account that answers for this machine, the same on all of yours: no two of them are given one segment as each other's reserve. Empty: that of --relay-payout, or its own." placeholder:"ADDRESS"`

	Encoder Encoder     `kong:"-" yaml:"-"` // nil: kinora-media
	OnReady func(Ready) `kong:"-" yaml:"-"` // called once when bids stand
}

// What Config.Encoders can be; empty is EncodersAuto.
const (
	EncodersAuto = "auto"
	EncodersCPU  = "cpu"
)

// Ready says where a transcoder is.
type Ready struct {
	HTTP    string // host:port
	Address common.Address
}

// Validate names the first setting that cannot be.
func (c Config) Validate() error {
	if _, _, err := net.SplitHostPort(c.HTTP); err != nil {
		return fmt.Errorf("--http: %q is not host:port", c.HTTP)
	}
	if c.NATS == "" {
		return errors.New("--nats: the URL of a NATS server is needed")
	}
	at, err := passport.ParseEndpoint(c.NATS)
	if err == nil && !c.InsecureCleartext {
		err = passport.CheckClear(at.URL)
	}
	if err != nil {
		return fmt.Errorf("--nats: %w", err)
	}
	if err := chain.CheckURLs(c.ChainRPC); err != nil {
		return fmt.Errorf("--chain-rpc: %w", err)
	}
	switch {
	case !common.IsHexAddress(c.Escrow) || common.HexToAddress(c.Escrow) == (common.Address{}):
		return fmt.Errorf("--escrow: %.60q is not the address of a contract", c.Escrow)
	case c.Owner != "" && !common.IsHexAddress(c.Owner):
		return fmt.Errorf("--owner: %.60q is not an address", c.Owner)
	case c.RelayPayout != "" && (!common.IsHexAddress(c.RelayPayout) || common.HexToAddress(c.RelayPayout) == (common.Address{})):
		return fmt.Errorf("--relay-payout: %.60q is not an address", c.RelayPayout)
	case c.Keystore == "":
		return errors.New("--keystore: a keystore file is needed (`kinora wallet new` makes one)")
	case c.PasswordFile == "":
		return errors.New("--password-file: the file with the keystore's password is needed")
	case c.Data == "":
		return errors.New("--data: a folder is needed; winning tickets are kept there")
	case len(c.Region) > 32:
		return fmt.Errorf("--region: %d bytes, at most 32", len(c.Region))
	case c.WeiPerPixel.IsZero() || !c.WeiPerPixel.FitsUint96():
		return fmt.Errorf("--wei-per-pixel: %s, want 1 to 2^96-1", c.WeiPerPixel)
	case slices.Contains(c.OnRequest, protocol.H264):
		return errors.New("--on-request: h264 is what every standing bid has")
	case !c.PowerTariff.FitsUint96():
		return fmt.Errorf("--power-tariff: %s, want at most 2^96-1", c.PowerTariff)
	case c.PowerWatts > 100_000:
		return fmt.Errorf("--power-watts: %d, want at most 100000", c.PowerWatts)
	case c.PowerWatts > 0 && c.PowerTariff.IsZero():
		return errors.New("--power-watts: says nothing without --power-tariff")
	case c.FreeSlots < 0 || c.FreeSlots > 1024:
		return fmt.Errorf("--free-slots: %d, want 0 to 1024", c.FreeSlots)
	case c.Encoders != "" && c.Encoders != EncodersAuto && c.Encoders != EncodersCPU:
		return fmt.Errorf("--encoders: %.20q, want auto or cpu", c.Encoders)
	case c.LeaseIdle < time.Second:
		return fmt.Errorf("--lease-idle: %s, want at least 1s", c.LeaseIdle)
	case c.DrainTimeout < 0:
		return fmt.Errorf("--drain-timeout: %s is negative", c.DrainTimeout)
	case c.TicketUsable < 0 || c.TicketAccept < 0 || c.TicketRedeem < 0 || c.TicketLifetime < 0:
		return errors.New("--ticket-usable, --ticket-accept, --ticket-redeem, --ticket-lifetime: none may be negative")
	case c.TicketUsable > 0 && c.TicketAccept > 0 && c.TicketUsable >= c.TicketAccept:
		return fmt.Errorf("--ticket-accept: %s must be longer than --ticket-usable %s", c.TicketAccept, c.TicketUsable)
	case c.TicketAccept > 0 && c.TicketRedeem > 0 && c.TicketAccept >= c.TicketRedeem:
		return fmt.Errorf("--ticket-redeem: %s must be longer than --ticket-accept %s", c.TicketRedeem, c.TicketAccept)
	}
	if err := c.Capacity.validate(); err != nil {
		return fmt.Errorf("--capacity: %w", err)
	}
	return nil
}

// joinToken is the secret in --join-token-file.
func (c Config) joinToken() (string, error) {
	if c.JoinTokenFile == "" {
		return "", nil
	}
	b, err := os.ReadFile(c.JoinTokenFile)
	if err != nil {
		return "", fmt.Errorf("--join-token-file: %w", err)
	}
	token := strings.TrimSpace(string(b))
	if token == "" || strings.ContainsAny(token, " \n") {
		return "", fmt.Errorf("--join-token-file: %s does not hold one token", c.JoinTokenFile)
	}
	return token, nil
}
