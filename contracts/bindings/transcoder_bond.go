// Code generated via abigen V2 - DO NOT EDIT.
// This file is a generated binding and any manual changes will be lost.

package bindings

import (
	"bytes"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// Reference imports to suppress errors if they are not otherwise used.
var (
	_ = bytes.Equal
	_ = errors.New
	_ = big.NewInt
	_ = common.Big1
	_ = types.BloomLookup
	_ = abi.ConvertType
)

// ITranscoderBondAssignment is an auto generated low-level Go binding around an user-defined struct.
type ITranscoderBondAssignment struct {
	Orchestrator common.Address
	Transcoder   common.Address
	Lease        [32]byte
	Stream       string
	Incarnation  uint32
	Seq          uint64
	Attempt      [32]byte
}

// ITranscoderBondReceipt is an auto generated low-level Go binding around an user-defined struct.
type ITranscoderBondReceipt struct {
	Orchestrator common.Address
	Transcoder   common.Address
	Lease        [32]byte
	Seq          uint64
	Attempt      [32]byte
	Source       [32]byte
	Renditions   []ITranscoderBondRenditionReceipt
}

// ITranscoderBondRenditionReceipt is an auto generated low-level Go binding around an user-defined struct.
type ITranscoderBondRenditionReceipt struct {
	Profile  [32]byte
	Output   [32]byte
	Pixels   uint64
	Frames   uint32
	FirstPts int64
	LastPts  int64
}

// TranscoderBondMetaData contains all meta data concerning the TranscoderBond contract.
var TranscoderBondMetaData = bind.MetaData{
	ABI: "[{\"type\":\"constructor\",\"inputs\":[{\"name\":\"escrow\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"slashAmount\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"reporterShare\",\"type\":\"uint16\",\"internalType\":\"uint16\"},{\"name\":\"disputeWindow\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"unbondingPeriod\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"authority\",\"type\":\"address\",\"internalType\":\"address\"}],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"AUTHORITY\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"address\",\"internalType\":\"address\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"DISPUTE_WINDOW\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint40\",\"internalType\":\"uint40\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"ESCROW\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"address\",\"internalType\":\"address\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"MAX_PAUSE\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint40\",\"internalType\":\"uint40\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"MIN_PAUSE_GAP\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint40\",\"internalType\":\"uint40\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"REPORTER_SHARE\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint16\",\"internalType\":\"uint16\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"SLASH\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint96\",\"internalType\":\"uint96\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"UNBONDING_PERIOD\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint40\",\"internalType\":\"uint40\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"UPGRADE_INTERFACE_VERSION\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"string\",\"internalType\":\"string\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"assignmentDigest\",\"inputs\":[{\"name\":\"assignment\",\"type\":\"tuple\",\"internalType\":\"structITranscoderBond.Assignment\",\"components\":[{\"name\":\"orchestrator\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"transcoder\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"lease\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"stream\",\"type\":\"string\",\"internalType\":\"string\"},{\"name\":\"incarnation\",\"type\":\"uint32\",\"internalType\":\"uint32\"},{\"name\":\"seq\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"attempt\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}]}],\"outputs\":[{\"name\":\"\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"bond\",\"inputs\":[{\"name\":\"transcoder\",\"type\":\"address\",\"internalType\":\"address\"}],\"outputs\":[],\"stateMutability\":\"payable\"},{\"type\":\"function\",\"name\":\"bondOf\",\"inputs\":[{\"name\":\"transcoder\",\"type\":\"address\",\"internalType\":\"address\"}],\"outputs\":[{\"name\":\"amount\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"unbonding\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"unbondEnd\",\"type\":\"uint40\",\"internalType\":\"uint40\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"claimIdOf\",\"inputs\":[{\"name\":\"orchestrator\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"transcoder\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"lease\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"attempt\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"outputs\":[{\"name\":\"\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"stateMutability\":\"pure\"},{\"type\":\"function\",\"name\":\"claimOf\",\"inputs\":[{\"name\":\"id\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"outputs\":[{\"name\":\"state\",\"type\":\"uint8\",\"internalType\":\"enumITranscoderBond.ClaimState\"},{\"name\":\"transcoder\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"reporter\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"amount\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"disputableUntil\",\"type\":\"uint40\",\"internalType\":\"uint40\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"lastPause\",\"inputs\":[],\"outputs\":[{\"name\":\"start\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"end\",\"type\":\"uint40\",\"internalType\":\"uint40\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"pause\",\"inputs\":[],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"proxiableUUID\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"rebut\",\"inputs\":[{\"name\":\"id\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"other\",\"type\":\"tuple\",\"internalType\":\"structITranscoderBond.Assignment\",\"components\":[{\"name\":\"orchestrator\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"transcoder\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"lease\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"stream\",\"type\":\"string\",\"internalType\":\"string\"},{\"name\":\"incarnation\",\"type\":\"uint32\",\"internalType\":\"uint32\"},{\"name\":\"seq\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"attempt\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}]},{\"name\":\"signature\",\"type\":\"bytes\",\"internalType\":\"bytes\"}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"receiptDigest\",\"inputs\":[{\"name\":\"receipt\",\"type\":\"tuple\",\"internalType\":\"structITranscoderBond.Receipt\",\"components\":[{\"name\":\"orchestrator\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"transcoder\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"lease\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"seq\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"attempt\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"source\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"renditions\",\"type\":\"tuple[]\",\"internalType\":\"structITranscoderBond.RenditionReceipt[]\",\"components\":[{\"name\":\"profile\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"output\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"pixels\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"frames\",\"type\":\"uint32\",\"internalType\":\"uint32\"},{\"name\":\"firstPts\",\"type\":\"int64\",\"internalType\":\"int64\"},{\"name\":\"lastPts\",\"type\":\"int64\",\"internalType\":\"int64\"}]}]}],\"outputs\":[{\"name\":\"\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"release\",\"inputs\":[{\"name\":\"to\",\"type\":\"address\",\"internalType\":\"addresspayable\"}],\"outputs\":[{\"name\":\"released\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"report\",\"inputs\":[{\"name\":\"assignment\",\"type\":\"tuple\",\"internalType\":\"structITranscoderBond.Assignment\",\"components\":[{\"name\":\"orchestrator\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"transcoder\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"lease\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"stream\",\"type\":\"string\",\"internalType\":\"string\"},{\"name\":\"incarnation\",\"type\":\"uint32\",\"internalType\":\"uint32\"},{\"name\":\"seq\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"attempt\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}]},{\"name\":\"a\",\"type\":\"tuple\",\"internalType\":\"structITranscoderBond.Receipt\",\"components\":[{\"name\":\"orchestrator\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"transcoder\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"lease\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"seq\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"attempt\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"source\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"renditions\",\"type\":\"tuple[]\",\"internalType\":\"structITranscoderBond.RenditionReceipt[]\",\"components\":[{\"name\":\"profile\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"output\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"pixels\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"frames\",\"type\":\"uint32\",\"internalType\":\"uint32\"},{\"name\":\"firstPts\",\"type\":\"int64\",\"internalType\":\"int64\"},{\"name\":\"lastPts\",\"type\":\"int64\",\"internalType\":\"int64\"}]}]},{\"name\":\"b\",\"type\":\"tuple\",\"internalType\":\"structITranscoderBond.Receipt\",\"components\":[{\"name\":\"orchestrator\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"transcoder\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"lease\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"seq\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"attempt\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"source\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"renditions\",\"type\":\"tuple[]\",\"internalType\":\"structITranscoderBond.RenditionReceipt[]\",\"components\":[{\"name\":\"profile\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"output\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"pixels\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"frames\",\"type\":\"uint32\",\"internalType\":\"uint32\"},{\"name\":\"firstPts\",\"type\":\"int64\",\"internalType\":\"int64\"},{\"name\":\"lastPts\",\"type\":\"int64\",\"internalType\":\"int64\"}]}]},{\"name\":\"signatures\",\"type\":\"bytes[3]\",\"internalType\":\"bytes[3]\"}],\"outputs\":[{\"name\":\"id\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"slash\",\"inputs\":[{\"name\":\"id\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"unbond\",\"inputs\":[{\"name\":\"amount\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"unpause\",\"inputs\":[],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"upgradeToAndCall\",\"inputs\":[{\"name\":\"newImplementation\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"data\",\"type\":\"bytes\",\"internalType\":\"bytes\"}],\"outputs\":[],\"stateMutability\":\"payable\"},{\"type\":\"event\",\"name\":\"Bonded\",\"inputs\":[{\"name\":\"funder\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"transcoder\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"amount\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"ClaimRebutted\",\"inputs\":[{\"name\":\"claim\",\"type\":\"bytes32\",\"indexed\":true,\"internalType\":\"bytes32\"},{\"name\":\"transcoder\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"amount\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"EquivocationReported\",\"inputs\":[{\"name\":\"claim\",\"type\":\"bytes32\",\"indexed\":true,\"internalType\":\"bytes32\"},{\"name\":\"transcoder\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"reporter\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"orchestrator\",\"type\":\"address\",\"indexed\":false,\"internalType\":\"address\"},{\"name\":\"attempt\",\"type\":\"bytes32\",\"indexed\":false,\"internalType\":\"bytes32\"},{\"name\":\"amount\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"Paused\",\"inputs\":[{\"name\":\"by\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"end\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"Slashed\",\"inputs\":[{\"name\":\"claim\",\"type\":\"bytes32\",\"indexed\":true,\"internalType\":\"bytes32\"},{\"name\":\"transcoder\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"reporter\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"reward\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"},{\"name\":\"burned\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"Unbonded\",\"inputs\":[{\"name\":\"transcoder\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"to\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"amount\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"UnbondingReduced\",\"inputs\":[{\"name\":\"transcoder\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"unbonding\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"UnbondingStarted\",\"inputs\":[{\"name\":\"transcoder\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"unbonding\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"},{\"name\":\"unbondEnd\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"Unpaused\",\"inputs\":[{\"name\":\"by\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"Upgraded\",\"inputs\":[{\"name\":\"implementation\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"}],\"anonymous\":false},{\"type\":\"error\",\"name\":\"AddressEmptyCode\",\"inputs\":[{\"name\":\"target\",\"type\":\"address\",\"internalType\":\"address\"}]},{\"type\":\"error\",\"name\":\"BadSignature\",\"inputs\":[{\"name\":\"expected\",\"type\":\"address\",\"internalType\":\"address\"}]},{\"type\":\"error\",\"name\":\"ClaimExists\",\"inputs\":[{\"name\":\"claim\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}]},{\"type\":\"error\",\"name\":\"ClaimNotOpen\",\"inputs\":[{\"name\":\"claim\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}]},{\"type\":\"error\",\"name\":\"DisputeOver\",\"inputs\":[{\"name\":\"since\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"ERC1967InvalidImplementation\",\"inputs\":[{\"name\":\"implementation\",\"type\":\"address\",\"internalType\":\"address\"}]},{\"type\":\"error\",\"name\":\"ERC1967NonPayable\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"FailedCall\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"InsufficientBond\",\"inputs\":[{\"name\":\"bond\",\"type\":\"uint256\",\"internalType\":\"uint256\"},{\"name\":\"amount\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"NoEquivocation\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"NoRebuttal\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"NotOneAttempt\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"NotPaused\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"NothingBonded\",\"inputs\":[{\"name\":\"transcoder\",\"type\":\"address\",\"internalType\":\"address\"}]},{\"type\":\"error\",\"name\":\"NothingUnbonding\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"ParametersOutOfRange\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"PausedTooRecently\",\"inputs\":[{\"name\":\"possibleFrom\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"PausedUntil\",\"inputs\":[{\"name\":\"end\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"StillDisputable\",\"inputs\":[{\"name\":\"until\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"StillUnbonding\",\"inputs\":[{\"name\":\"unbondEnd\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"TransferFailed\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"UUPSUnauthorizedCallContext\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"UUPSUnsupportedProxiableUUID\",\"inputs\":[{\"name\":\"slot\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}]},{\"type\":\"error\",\"name\":\"Unauthorised\",\"inputs\":[{\"name\":\"caller\",\"type\":\"address\",\"internalType\":\"address\"}]},{\"type\":\"error\",\"name\":\"ZeroAddress\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"ZeroAmount\",\"inputs\":[]}]",
	ID:  "TranscoderBond",
	Bin: "0x610180346101fc57601f6132ea38819003918201601f19168301916001600160401b038311848410176102005780849260c0946040528339810103126101fc5761004881610214565b60208201516001600160601b03811691908281036101fc5760408401519161ffff8316938484036101fc5761007f60608701610228565b9461009860a061009160808a01610228565b9801610214565b60805262278d0060a0523060c0526001600160a01b038316159182156101f3575b5081156101e7575b5080156101d8575b80156101c0575b80156101ac575b61019d5760e052610100526101205261014052610160526040516130af908161023b82396080518181816114260152612813015260a0518181816113b8015281816115e30152611642015260c0518181816117d701526118ca015260e0518181816104fe0152818161053a0152818161073901528181610e470152610fbb0152610100518181816108a9015261204101526101205181818161029c0152611b860152610140518181816101df0152610a3701526101605181818161059e0152611d450152f35b63e28b881960e01b5f5260045ffd5b506301e1338064ffffffffff8616116100d7565b5064ffffffffff841664ffffffffff861611156100d0565b5064ffffffffff8416156100c9565b6107d09150115f6100c1565b1591505f6100b9565b5f80fd5b634e487b7160e01b5f52604160045260245ffd5b51906001600160a01b03821682036101fc57565b519064ffffffffff821682036101fc5756fe60806040526004361015610011575f80fd5b5f3560e01c806319165587146120655780631936c92114611fff578063247ce85b14611ed557806327de9e3214611c795780633f4ba83a14611baa57806349e4f68c14611b4e5780634f1ef2861461184f57806352d1902d1461179257806372d2b6c0146116bb5780637faf6a79146116705780638456cb591461144a57806389fcd796146113dc5780638d25b3b01461137d578063903fafea146111d85780639642e92414610eab578063999d55fb14610e70578063a679e24014610e2f578063ad3cb1cc14610d7d578063af97768f146105c2578063d9a912ec14610563578063e17d3e3c14610522578063e681c4aa146104b4578063f415ed1414610203578063f585dc57146101a45763fcaf7d451461012c575f80fd5b346101a05760807ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101a05761016361230b565b6024359073ffffffffffffffffffffffffffffffffffffffff821682036101a057602091610198916064359160443591612645565b604051908152f35b5f80fd5b346101a0575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101a057602060405164ffffffffff7f0000000000000000000000000000000000000000000000000000000000000000168152f35b346101a05760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101a05760043561023d61268f565b805f52600260205260405f209060018201908154600160ff8260c81c1661026381612439565b036104885764ffffffffff6102766126d0565b61027f816126f4565b828460a01c1692839116111561044c575050835460a01c9361ffff7f00000000000000000000000000000000000000000000000000000000000000001680860290868204148615171561041f577fffffffffffff00ffffffffffffffffffffffffffffffffffffffffffffffffff6127107902000000000000000000000000000000000000000000000000009204931617845573ffffffffffffffffffffffffffffffffffffffff8154168155811515806103e9575b6103e1575b5f808080610348868a612638565b81604051610357602082612394565b5261dead5af1156103b957816103ac7fd233318aa2d7aa8190db26f6cdf80d3a147be18618f2335b378806b7ee5632929373ffffffffffffffffffffffffffffffffffffffff80604095541697541697612638565b82519182526020820152a4005b7f90b8ec18000000000000000000000000000000000000000000000000000000005f5260045ffd5b5f915061033a565b505f8080808573ffffffffffffffffffffffffffffffffffffffff89541682604051610416602082612394565b525af115610335565b7f4e487b71000000000000000000000000000000000000000000000000000000005f52601160045260245ffd5b64ffffffffff9161045c91612745565b7f59b104b3000000000000000000000000000000000000000000000000000000005f521660045260245ffd5b507f775f847f000000000000000000000000000000000000000000000000000000005f5260045260245ffd5b346101a0575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101a057602060405173ffffffffffffffffffffffffffffffffffffffff7f0000000000000000000000000000000000000000000000000000000000000000168152f35b346101a057602061019861053536612470565b61055e7f0000000000000000000000000000000000000000000000000000000000000000612874565b612930565b346101a0575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101a057602060405164ffffffffff7f0000000000000000000000000000000000000000000000000000000000000000168152f35b346101a05760807ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101a05760043567ffffffffffffffff81116101a057806004019060e07ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc82360301126101a0576024359167ffffffffffffffff83116101a057826004019160e07ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc85360301126101a05760443567ffffffffffffffff81116101a057806004019460e07ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc83360301126101a0576064359167ffffffffffffffff83116101a05782600401913660648501116101a0576106e561268f565b6106ef8787612dac565b6106f98887612dac565b60a482013560a482013503610d555761072f9161072761071d60c48094018a612593565b939092018a612593565b929091612e92565b15610d2d5761075d7f0000000000000000000000000000000000000000000000000000000000000000612874565b6107678582612930565b9561077283806125e7565b61077b88612572565b90610786928a612a50565b6107909082612b40565b9661079e60248501846125e7565b989060248701996107ae8b612572565b916107b893612a50565b6107c191612b40565b916044016107ce916125e7565b6107d787612572565b916107e193612a50565b6107ea82612572565b6107f385612572565b9160c4810135926044849201359061080a93612645565b92835f52600260205260405f206001015460c81c60ff1661082a81612439565b610d015773ffffffffffffffffffffffffffffffffffffffff61084c86612572565b1694855f52600160205260405f2091604051926108688461232e565b54926bffffffffffffffffffffffff84169384825260208201946bffffffffffffffffffffffff8260601c16865264ffffffffff604084019260c01c1682527f00000000000000000000000000000000000000000000000000000000000000006bffffffffffffffffffffffff811682105f14610cf95750945b6bffffffffffffffffffffffff8616958615610ccd5791839160209b6bffffffffffffffffffffffff610c46979581610c4c9a9851168b828487511664ffffffffff8951169281115f14610cc4578591829103165b169081610cb8575064ffffffffff5f5b1687528552031684525f5260018c526bffffffffffffffffffffffff8060405f20945116167fffffffffffffffffffffffffffffffffffffffff00000000000000000000000084541617835551907fffffff0000000000000000000000000000000000ffffffffffffffffffffffff77ffffffffffffffffffffffff0000000000000000000000007cffffffffff0000000000000000000000000000000000000000000000008554935160c01b169360601b169116171790556004610a0b83612572565b918773ffffffffffffffffffffffffffffffffffffffff610a5c610a35610a306126d0565b6126f4565b7f000000000000000000000000000000000000000000000000000000000000000090612509565b610a658c612572565b908260405197610a7489612377565b1687528d8f8801918c8352604089019233845264ffffffffff60608b019216825260808a0192600184528660a08c019616865260c08b0197885260e08b019889525f52602060029052858060405f209b5116167fffffffffffffffffffffffff00000000000000000000000000000000000000008b5416178a5551857fffffffffffffffffffffffff0000000000000000000000000000000000000000808c549360a01b16169116178955848060018b01945116167fffffffffffffffffffffffff0000000000000000000000000000000000000000845416178355517fffffffffffffff0000000000ffffffffffffffffffffffffffffffffffffffff78ffffffffff000000000000000000000000000000000000000084549260a01b16911617825551610ba281612439565b610bab81612439565b7fffffffffffff00ffffffffffffffffffffffffffffffffffffffffffffffffff79ff0000000000000000000000000000000000000000000000000083549260c81b169116179055511673ffffffffffffffffffffffffffffffffffffffff6002860191167fffffffffffffffffffffffff000000000000000000000000000000000000000082541617905551600384015551910155612572565b93612572565b9173ffffffffffffffffffffffffffffffffffffffff60405193168352858301526040820152827f2f8def2cd2e2d8d4bc77729f742555b66df49a9f89c7a3aea54a41782f9cd080606073ffffffffffffffffffffffffffffffffffffffff33951693a4604051908152f35b64ffffffffff90610947565b5050835f610937565b8a7f09230a5b000000000000000000000000000000000000000000000000000000005f5260045260245ffd5b9050946108e2565b837fe0b2f38a000000000000000000000000000000000000000000000000000000005f5260045260245ffd5b7ff6956d99000000000000000000000000000000000000000000000000000000005f5260045ffd5b7f36dc56f3000000000000000000000000000000000000000000000000000000005f5260045ffd5b346101a0575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101a0576040805190610dba8183612394565b6005825260208201917f352e302e3000000000000000000000000000000000000000000000000000000083527fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0601f8351948593602085525180918160208701528686015e5f85828601015201168101030190f35b346101a0576020610198610e4236612470565b610e6b7f0000000000000000000000000000000000000000000000000000000000000000612874565b612b40565b346101a0575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101a05760206040516203f4808152f35b346101a05760607ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101a05760243560043567ffffffffffffffff82116101a057816004019160e07ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc82360301126101a0576044359067ffffffffffffffff82116101a057366023830112156101a05781600401359167ffffffffffffffff83116101a05736602484830101116101a057835f52600260205260405f206001810195865492600160ff8560c81c16610f8581612439565b036111ac5764ffffffffff610f986126d0565b610fa1816126f4565b828760a01c169283911611611170575050610fdf8261055e7f0000000000000000000000000000000000000000000000000000000000000000612874565b94610fe983612572565b73ffffffffffffffffffffffffffffffffffffffff806002870154169116149081159161115c575b50801561114f575b611127577fd82233a657c66617bbfd9bdd3a8109781cb11257b1f29a48afb79ce5483958f895602095602461105061105895612572565b930190612a50565b8054957903000000000000000000000000000000000000000000000000007fffffffffffff00ffffffffffffffffffffffffffffffffffffffffffffffffff73ffffffffffffffffffffffffffffffffffffffff89169860a01c941617905573ffffffffffffffffffffffffffffffffffffffff8154169055845f526001825260405f206bffffffffffffffffffffffff6110f683828454166124df565b167fffffffffffffffffffffffffffffffffffffffff000000000000000000000000825416179055604051908152a3005b7fca19cb8e000000000000000000000000000000000000000000000000000000005f5260045ffd5b5060048301548514611019565b905060c46003850154910135141589611011565b64ffffffffff9161118091612745565b7fefdee5e4000000000000000000000000000000000000000000000000000000005f521660045260245ffd5b867f775f847f000000000000000000000000000000000000000000000000000000005f5260045260245ffd5b346101a05760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101a0576004355f52600260205260a060405f2064ffffffffff6040519161122a83612377565b805473ffffffffffffffffffffffffffffffffffffffff811684526020840190851c8152600182015490604085019173ffffffffffffffffffffffffffffffffffffffff8116835260ff606087019186818a1c16835260c81c166004608088019561129483612439565b82875273ffffffffffffffffffffffffffffffffffffffff6002820154168a8a0152600381015460c08a0152015460e08801526112d081612439565b6112d981612439565b61133e57506bffffffffffffffffffffffff73ffffffffffffffffffffffffffffffffffffffff805f955b519761130f89612439565b5116935116915116916040519561132581612439565b8652602086015260408501526060840152166080820152f35b73ffffffffffffffffffffffffffffffffffffffff806113776bffffffffffffffffffffffff938861136e6126d0565b91511690612745565b95611304565b346101a0575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101a057602060405164ffffffffff7f0000000000000000000000000000000000000000000000000000000000000000168152f35b346101a0575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101a057602060405173ffffffffffffffffffffffffffffffffffffffff7f0000000000000000000000000000000000000000000000000000000000000000168152f35b346101a0575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101a057611480612796565b611488612525565b602081019064ffffffffff8251168015159081611634575b506115d4576114c064ffffffffff83511664ffffffffff83511690612556565b9064ffffffffff6114d8604083019382855116612509565b1682526203f48064ffffffffff4216808352019064ffffffffff821161041f5764ffffffffff9081831680955251167fffffffffffffffffffffffffffffffffffffffffffffffffffffff00000000005f5416175f557fffffffffffffffffffffffffffffffffffffffffffff0000000000ffffffffff69ffffffffff0000000000805f549360281b16169116175f55517fffffffffffffffffffffffffffffffffff0000000000ffffffffffffffffffff6effffffffff000000000000000000005f549260501b169116175f556040519081527fab40a374bc51de372200a8bc981af8c9ecdc08dfdaef0bb6e09f88f3c616ef3d60203392a2005b64ffffffffff611608818451167f000000000000000000000000000000000000000000000000000000000000000090612509565b7f79abcd72000000000000000000000000000000000000000000000000000000005f521660045260245ffd5b64ffffffffff9150611667907f000000000000000000000000000000000000000000000000000000000000000090612509565b164210836114a0565b346101a0575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101a05760405f5464ffffffffff825191818116835260281c166020820152f35b346101a05760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101a05773ffffffffffffffffffffffffffffffffffffffff61170761230b565b165f526001602052606060405f2064ffffffffff604051916117288361232e565b54916bffffffffffffffffffffffff8316928382528260406bffffffffffffffffffffffff83881c1693846020820152019160c01c16815281155f1461177f57505f905b6040519384526020840152166040820152f35b61178c908361136e6126d0565b9061176c565b346101a0575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101a05773ffffffffffffffffffffffffffffffffffffffff7f00000000000000000000000000000000000000000000000000000000000000001630036118275760206040517f360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc8152f35b7fe07c8dba000000000000000000000000000000000000000000000000000000005f5260045ffd5b60407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101a05761188161230b565b60243567ffffffffffffffff81116101a057366023820112156101a0576118b29036906024816004013591016123d5565b9073ffffffffffffffffffffffffffffffffffffffff7f000000000000000000000000000000000000000000000000000000000000000016803014908115611b0c575b5061182757611902612796565b73ffffffffffffffffffffffffffffffffffffffff8116916040517f52d1902d000000000000000000000000000000000000000000000000000000008152602081600481875afa5f9181611ad8575b5061198257837f4c9c8ce3000000000000000000000000000000000000000000000000000000005f5260045260245ffd5b807f360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc859203611aad5750823b15611a8257807fffffffffffffffffffffffff00000000000000000000000000000000000000007f360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc5416177f360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc557fbc7cd75a20ee27fd9adebab32041f755214dbc6bffa90cc0225b39da2e5c2d3b5f80a2805115611a5157611a4f91612f4e565b005b505034611a5a57005b7fb398979f000000000000000000000000000000000000000000000000000000005f5260045ffd5b7f4c9c8ce3000000000000000000000000000000000000000000000000000000005f5260045260245ffd5b7faa1d49a4000000000000000000000000000000000000000000000000000000005f5260045260245ffd5b9091506020813d602011611b04575b81611af460209383612394565b810103126101a057519085611951565b3d9150611ae7565b905073ffffffffffffffffffffffffffffffffffffffff7f360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc54161415836118f5565b346101a0575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101a057602060405161ffff7f0000000000000000000000000000000000000000000000000000000000000000168152f35b346101a0575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101a057611be0612796565b5f5464ffffffffff8160281c16421015611c51577fffffffffffffffffffffffffffffffffffffffffffff0000000000ffffffffff69ffffffffff00000000004260281b169116175f55337f5db9ee0a495bf2e6ff9c91a7834c1ba4fdd244a5e8aa4e537bd38aeae4b073aa5f80a2005b7f6cd60201000000000000000000000000000000000000000000000000000000005f5260045ffd5b346101a05760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101a057600435335f52600160205260405f209060405191611cc58361232e565b54906bffffffffffffffffffffffff82169081845260208401916bffffffffffffffffffffffff8460601c16835264ffffffffff604086019460c01c168452808211611ea757506bffffffffffffffffffffffff908183511681115f14611e6757611d74611d316126d0565b64ffffffffff611d6a611d43836126f4565b7f000000000000000000000000000000000000000000000000000000000000000090612509565b1690818752612745565b64ffffffffff604051918383521660208201527f5ad597052c81401d1be7a42f51243743fafa38387310bd50dd52c679d3ba91be60403392a25b168152335f5260016020526bffffffffffffffffffffffff8060405f20945116167fffffffffffffffffffffffffffffffffffffffff00000000000000000000000084541617835551907fffffff0000000000000000000000000000000000ffffffffffffffffffffffff77ffffffffffffffffffffffff0000000000000000000000007cffffffffff0000000000000000000000000000000000000000000000008554935160c01b169360601b169116171790555f80f35b8015611e9f575b6040518181527fec431b06727c16b22ee08f1281a14952cd7866f3c72b8ce8928e990b6828ed7f60203392a2611dae565b5f8452611e6e565b7f44d4caf7000000000000000000000000000000000000000000000000000000005f5260045260245260445ffd5b60207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101a05773ffffffffffffffffffffffffffffffffffffffff611f1c61230b565b611f2461268f565b168015611fd7573415611faf57805f52600160205260405f206bffffffffffffffffffffffff611f59813416828454166124df565b167fffffffffffffffffffffffffffffffffffffffff0000000000000000000000008254161790556040513481527f0fda1524f765ccc8812ff5857b161363b93a60efaaf4516a9455c7621799f8db60203392a3005b7f1f2a2005000000000000000000000000000000000000000000000000000000005f5260045ffd5b7fd92e233d000000000000000000000000000000000000000000000000000000005f5260045ffd5b346101a0575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101a05760206040516bffffffffffffffffffffffff7f0000000000000000000000000000000000000000000000000000000000000000168152f35b346101a05760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126101a05760043573ffffffffffffffffffffffffffffffffffffffff81168091036101a0576120bd61268f565b8015611fd7576120cb6126d0565b90335f52600160205260405f20604051906120e58261232e565b546bffffffffffffffffffffffff811682526bffffffffffffffffffffffff8160601c1693602083019480865264ffffffffff604085019360c01c168352156122e35764ffffffffff9182612139836126f4565b91511692839116106122a75750506bffffffffffffffffffffffff80935116928391511603906bffffffffffffffffffffffff821161041f575f808481949382946bffffffffffffffffffffffff604051916121948361232e565b16815260208101848152604082019085825233865260016020526bffffffffffffffffffffffff8060408820945116167fffffffffffffffffffffffffffffffffffffffff00000000000000000000000084541617835551907fffffff0000000000000000000000000000000000ffffffffffffffffffffffff77ffffffffffffffffffffffff0000000000000000000000007cffffffffff0000000000000000000000000000000000000000000000008554935160c01b169360601b16911617179055806040518381527fcc90a4f2d7b65033483b2f4c7f47742028ea004a2be3fb0d16647fbf3fc457ca60203392a382604051612294602082612394565b525af1156103b957602090604051908152f35b64ffffffffff916122b791612745565b7fdd9c8943000000000000000000000000000000000000000000000000000000005f521660045260245ffd5b7f262b9d74000000000000000000000000000000000000000000000000000000005f5260045ffd5b6004359073ffffffffffffffffffffffffffffffffffffffff821682036101a057565b6060810190811067ffffffffffffffff82111761234a57604052565b7f4e487b71000000000000000000000000000000000000000000000000000000005f52604160045260245ffd5b610100810190811067ffffffffffffffff82111761234a57604052565b90601f7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0910116810190811067ffffffffffffffff82111761234a57604052565b92919267ffffffffffffffff821161234a576040519161241d601f82017fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe01660200184612394565b8294818452818301116101a0578281602093845f960137010152565b6004111561244357565b7f4e487b71000000000000000000000000000000000000000000000000000000005f52602160045260245ffd5b60207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc8201126101a0576004359067ffffffffffffffff82116101a0577ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc8260e0920301126101a05760040190565b906bffffffffffffffffffffffff809116911601906bffffffffffffffffffffffff821161041f57565b9064ffffffffff8091169116019064ffffffffff821161041f57565b604051906125328261232e565b81604064ffffffffff5f548181168452818160281c16602085015260501c16910152565b9064ffffffffff8091169116039064ffffffffff821161041f57565b3573ffffffffffffffffffffffffffffffffffffffff811681036101a05790565b9035907fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe1813603018212156101a0570180359067ffffffffffffffff82116101a0576020019160c08202360383136101a057565b9035907fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe1813603018212156101a0570180359067ffffffffffffffff82116101a0576020019181360383136101a057565b9190820391821161041f57565b92909173ffffffffffffffffffffffffffffffffffffffff60405193816020860196168652166040840152606083015260808201526080815261268960a082612394565b51902090565b64ffffffffff5f5460281c168042106126a55750565b7f8b00ce48000000000000000000000000000000000000000000000000000000005f5260045260245ffd5b5f604080516126de8161232e565b82815282602082015201526126f1612525565b90565b6126f19061273964ffffffffff82511661273364ffffffffff6040816020870151169501511664ffffffffff4216948086105f1461273f575084612556565b92612556565b90612556565b94612556565b9061276c64ffffffffff8351169164ffffffffff6040816020870151169501511690612509565b918164ffffffffff8416105f1461278257505090565b6126f1929161279091612556565b90612509565b5f60405f815160208101907fb70096130000000000000000000000000000000000000000000000000000000082523360248201523060448201527fffffffff00000000000000000000000000000000000000000000000000000000833516606482015260648152612808608482612394565b8280528260205251907f00000000000000000000000000000000000000000000000000000000000000005afa61286c575b1561284057565b7fae10e1de000000000000000000000000000000000000000000000000000000005f523360045260245ffd5b505f51612839565b60405173ffffffffffffffffffffffffffffffffffffffff60208201927f8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f84527fef431decc462733a428c1073c74dda85c787f4f15ddce273a4c7bb13ad9e940760408401527fc89efdaa54c0f20c7adf612882df0950f5a951637e0307cdcb4c672f298b8bc660608401524660808401521660a082015260a0815261268960c082612394565b3567ffffffffffffffff811681036101a05790565b61293982612572565b61294560208401612572565b61295c61295560608601866125e7565b36916123d5565b6020815191012060808501359463ffffffff86168096036101a05767ffffffffffffffff60c0926126f19761299360a0850161291b565b9173ffffffffffffffffffffffffffffffffffffffff604051978160208a019a7f9fad8e4f10cc029a751f4a627b864fa1ab8fa629e6cd9bedd4f932977fae3b478c521660408a01521660608801526040850135608088015260a0870152848601521660e084015201356101008201526101008152612a1461012082612394565b51902090604291604051917f19010000000000000000000000000000000000000000000000000000000000008352600283015260228201522090565b90612a5b9291612f1a565b50612a6581612439565b1590811591612ab9575b50612a775750565b73ffffffffffffffffffffffffffffffffffffffff907f9a7d38d9000000000000000000000000000000000000000000000000000000005f521660045260245ffd5b905073ffffffffffffffffffffffffffffffffffffffff808316911614155f612a6f565b67ffffffffffffffff811161234a5760051b60200190565b9190811015612b055760c0020190565b7f4e487b71000000000000000000000000000000000000000000000000000000005f52603260045260245ffd5b35908160070b82036101a057565b9060c0810190612b508282612593565b949050612b75612b5f86612add565b95612b6d6040519788612394565b808752612add565b907fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe06020870192013683375f5b8651811015612c8757612bbf81612bb98787612593565b90612af5565b60405160208101917fd73c1500e0e21c7eb845f34a8cf5bd848632746ecc1a2e14bdd91e282b16de3483528035604083015260208101356060830152604081013567ffffffffffffffff81168091036101a0576080830152606081013563ffffffff81168091036101a057612c4f9160a09182850152612c4160808201612b32565b60070b60c085015201612b32565b60070b60e082015260e08152612c6761010082612394565b519020908751811015612b055760019160208260051b8a01015201612ba2565b509392509390612c9681612572565b91612ca360208301612572565b91612cb06060820161291b565b91604051602081018092519099905f5b818110612d965750505060a0929181612d0d67ffffffffffffffff936126f19b9c037fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe08101835282612394565b5190209373ffffffffffffffffffffffffffffffffffffffff604051968160208901997ffdb0e2dfbf30aec3bf02e85157ae2ce4e3a2752417f6d6a7fdf6722e2dd3505d8b52166040890152166060870152604083013560808701521682850152608081013560c0850152013560e08301526101008201526101008152612a1461012082612394565b82518c5260209b8c019b90920191600101612cc0565b90612db681612572565b73ffffffffffffffffffffffffffffffffffffffff80612dd585612572565b1691161491821592612e57575b8215612e43575b8215612e14575b8215612dff575b5050610d5557565b608091925060c0013591013514155f80612df7565b9150612e226060820161291b565b67ffffffffffffffff80612e3860a0860161291b565b169116141591612df0565b915060408201356040820135141591612de9565b9150612e6560208201612572565b73ffffffffffffffffffffffffffffffffffffffff80612e8760208601612572565b169116141591612de2565b90915f5b838110612ea65750505050505f90565b5f5b858110612eb85750600101612e96565b612ec6828686989498612af5565b35612ed2828486612af5565b351480612ef4575b612ee957600101949094612ea8565b505050505050600190565b506020612f02878787612af5565b01356020612f11838587612af5565b01351415612eda565b9060418303612f4457612f3d9250602081013591604082359201355f1a90613015565b9192909190565b50505f9160029190565b905f8091602081519101845af48080613002575b15612f825750506040513d81523d5f602083013e60203d82010160405290565b15612fc95773ffffffffffffffffffffffffffffffffffffffff907f9996b315000000000000000000000000000000000000000000000000000000005f521660045260245ffd5b3d15612fda576040513d5f823e3d90fd5b7fd6bda275000000000000000000000000000000000000000000000000000000005f5260045ffd5b503d151580612f625750813b1515612f62565b91907f7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a084116130a4579160209360809260ff5f9560405194855216868401526040830152606082015282805260015afa15613099575f5173ffffffffffffffffffffffffffffffffffffffff81161561308f57905f905f90565b505f906001905f90565b6040513d5f823e3d90fd5b5050505f916003919056",
}

// TranscoderBond is an auto generated Go binding around an Ethereum contract.
type TranscoderBond struct {
	abi abi.ABI
}

// GetABI returns the ABI associated with this contract binding.
func (c *TranscoderBond) GetABI() abi.ABI {
	return c.abi
}

// NewTranscoderBond creates a new instance of TranscoderBond.
func NewTranscoderBond() *TranscoderBond {
	parsed, err := TranscoderBondMetaData.ParseABI()
	if err != nil {
		panic(errors.New("invalid ABI: " + err.Error()))
	}
	return &TranscoderBond{abi: *parsed}
}

// Instance creates a wrapper for a deployed contract instance at the given address.
// Use this to create the instance object passed to abigen v2 library functions Call, Transact, etc.
func (c *TranscoderBond) Instance(backend bind.ContractBackend, addr common.Address) *bind.BoundContract {
	return bind.NewBoundContract(addr, c.abi, backend, backend, backend)
}

// PackConstructor is the Go binding used to pack the parameters required for
// contract deployment.
//
// Solidity: constructor(address escrow, uint96 slashAmount, uint16 reporterShare, uint40 disputeWindow, uint40 unbondingPeriod, address authority) returns()
func (transcoderBond *TranscoderBond) PackConstructor(escrow common.Address, slashAmount *big.Int, reporterShare uint16, disputeWindow *big.Int, unbondingPeriod *big.Int, authority common.Address) []byte {
	enc, err := transcoderBond.abi.Pack("", escrow, slashAmount, reporterShare, disputeWindow, unbondingPeriod, authority)
	if err != nil {
		panic(err)
	}
	return enc
}

// PackAUTHORITY is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x89fcd796.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function AUTHORITY() view returns(address)
func (transcoderBond *TranscoderBond) PackAUTHORITY() []byte {
	enc, err := transcoderBond.abi.Pack("AUTHORITY")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackAUTHORITY is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x89fcd796.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function AUTHORITY() view returns(address)
func (transcoderBond *TranscoderBond) TryPackAUTHORITY() ([]byte, error) {
	return transcoderBond.abi.Pack("AUTHORITY")
}

// UnpackAUTHORITY is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x89fcd796.
//
// Solidity: function AUTHORITY() view returns(address)
func (transcoderBond *TranscoderBond) UnpackAUTHORITY(data []byte) (common.Address, error) {
	out, err := transcoderBond.abi.Unpack("AUTHORITY", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackDISPUTEWINDOW is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf585dc57.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function DISPUTE_WINDOW() view returns(uint40)
func (transcoderBond *TranscoderBond) PackDISPUTEWINDOW() []byte {
	enc, err := transcoderBond.abi.Pack("DISPUTE_WINDOW")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackDISPUTEWINDOW is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf585dc57.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function DISPUTE_WINDOW() view returns(uint40)
func (transcoderBond *TranscoderBond) TryPackDISPUTEWINDOW() ([]byte, error) {
	return transcoderBond.abi.Pack("DISPUTE_WINDOW")
}

// UnpackDISPUTEWINDOW is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xf585dc57.
//
// Solidity: function DISPUTE_WINDOW() view returns(uint40)
func (transcoderBond *TranscoderBond) UnpackDISPUTEWINDOW(data []byte) (*big.Int, error) {
	out, err := transcoderBond.abi.Unpack("DISPUTE_WINDOW", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackESCROW is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe681c4aa.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function ESCROW() view returns(address)
func (transcoderBond *TranscoderBond) PackESCROW() []byte {
	enc, err := transcoderBond.abi.Pack("ESCROW")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackESCROW is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe681c4aa.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function ESCROW() view returns(address)
func (transcoderBond *TranscoderBond) TryPackESCROW() ([]byte, error) {
	return transcoderBond.abi.Pack("ESCROW")
}

// UnpackESCROW is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xe681c4aa.
//
// Solidity: function ESCROW() view returns(address)
func (transcoderBond *TranscoderBond) UnpackESCROW(data []byte) (common.Address, error) {
	out, err := transcoderBond.abi.Unpack("ESCROW", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackMAXPAUSE is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x999d55fb.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_PAUSE() view returns(uint40)
func (transcoderBond *TranscoderBond) PackMAXPAUSE() []byte {
	enc, err := transcoderBond.abi.Pack("MAX_PAUSE")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMAXPAUSE is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x999d55fb.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MAX_PAUSE() view returns(uint40)
func (transcoderBond *TranscoderBond) TryPackMAXPAUSE() ([]byte, error) {
	return transcoderBond.abi.Pack("MAX_PAUSE")
}

// UnpackMAXPAUSE is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x999d55fb.
//
// Solidity: function MAX_PAUSE() view returns(uint40)
func (transcoderBond *TranscoderBond) UnpackMAXPAUSE(data []byte) (*big.Int, error) {
	out, err := transcoderBond.abi.Unpack("MAX_PAUSE", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackMINPAUSEGAP is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8d25b3b0.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MIN_PAUSE_GAP() view returns(uint40)
func (transcoderBond *TranscoderBond) PackMINPAUSEGAP() []byte {
	enc, err := transcoderBond.abi.Pack("MIN_PAUSE_GAP")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMINPAUSEGAP is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8d25b3b0.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MIN_PAUSE_GAP() view returns(uint40)
func (transcoderBond *TranscoderBond) TryPackMINPAUSEGAP() ([]byte, error) {
	return transcoderBond.abi.Pack("MIN_PAUSE_GAP")
}

// UnpackMINPAUSEGAP is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x8d25b3b0.
//
// Solidity: function MIN_PAUSE_GAP() view returns(uint40)
func (transcoderBond *TranscoderBond) UnpackMINPAUSEGAP(data []byte) (*big.Int, error) {
	out, err := transcoderBond.abi.Unpack("MIN_PAUSE_GAP", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackREPORTERSHARE is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x49e4f68c.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function REPORTER_SHARE() view returns(uint16)
func (transcoderBond *TranscoderBond) PackREPORTERSHARE() []byte {
	enc, err := transcoderBond.abi.Pack("REPORTER_SHARE")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackREPORTERSHARE is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x49e4f68c.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function REPORTER_SHARE() view returns(uint16)
func (transcoderBond *TranscoderBond) TryPackREPORTERSHARE() ([]byte, error) {
	return transcoderBond.abi.Pack("REPORTER_SHARE")
}

// UnpackREPORTERSHARE is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x49e4f68c.
//
// Solidity: function REPORTER_SHARE() view returns(uint16)
func (transcoderBond *TranscoderBond) UnpackREPORTERSHARE(data []byte) (uint16, error) {
	out, err := transcoderBond.abi.Unpack("REPORTER_SHARE", data)
	if err != nil {
		return *new(uint16), err
	}
	out0 := *abi.ConvertType(out[0], new(uint16)).(*uint16)
	return out0, nil
}

// PackSLASH is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x1936c921.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function SLASH() view returns(uint96)
func (transcoderBond *TranscoderBond) PackSLASH() []byte {
	enc, err := transcoderBond.abi.Pack("SLASH")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSLASH is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x1936c921.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function SLASH() view returns(uint96)
func (transcoderBond *TranscoderBond) TryPackSLASH() ([]byte, error) {
	return transcoderBond.abi.Pack("SLASH")
}

// UnpackSLASH is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x1936c921.
//
// Solidity: function SLASH() view returns(uint96)
func (transcoderBond *TranscoderBond) UnpackSLASH(data []byte) (*big.Int, error) {
	out, err := transcoderBond.abi.Unpack("SLASH", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackUNBONDINGPERIOD is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd9a912ec.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function UNBONDING_PERIOD() view returns(uint40)
func (transcoderBond *TranscoderBond) PackUNBONDINGPERIOD() []byte {
	enc, err := transcoderBond.abi.Pack("UNBONDING_PERIOD")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackUNBONDINGPERIOD is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd9a912ec.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function UNBONDING_PERIOD() view returns(uint40)
func (transcoderBond *TranscoderBond) TryPackUNBONDINGPERIOD() ([]byte, error) {
	return transcoderBond.abi.Pack("UNBONDING_PERIOD")
}

// UnpackUNBONDINGPERIOD is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xd9a912ec.
//
// Solidity: function UNBONDING_PERIOD() view returns(uint40)
func (transcoderBond *TranscoderBond) UnpackUNBONDINGPERIOD(data []byte) (*big.Int, error) {
	out, err := transcoderBond.abi.Unpack("UNBONDING_PERIOD", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackUPGRADEINTERFACEVERSION is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xad3cb1cc.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function UPGRADE_INTERFACE_VERSION() view returns(string)
func (transcoderBond *TranscoderBond) PackUPGRADEINTERFACEVERSION() []byte {
	enc, err := transcoderBond.abi.Pack("UPGRADE_INTERFACE_VERSION")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackUPGRADEINTERFACEVERSION is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xad3cb1cc.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function UPGRADE_INTERFACE_VERSION() view returns(string)
func (transcoderBond *TranscoderBond) TryPackUPGRADEINTERFACEVERSION() ([]byte, error) {
	return transcoderBond.abi.Pack("UPGRADE_INTERFACE_VERSION")
}

// UnpackUPGRADEINTERFACEVERSION is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xad3cb1cc.
//
// Solidity: function UPGRADE_INTERFACE_VERSION() view returns(string)
func (transcoderBond *TranscoderBond) UnpackUPGRADEINTERFACEVERSION(data []byte) (string, error) {
	out, err := transcoderBond.abi.Unpack("UPGRADE_INTERFACE_VERSION", data)
	if err != nil {
		return *new(string), err
	}
	out0 := *abi.ConvertType(out[0], new(string)).(*string)
	return out0, nil
}

// PackAssignmentDigest is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe17d3e3c.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function assignmentDigest((address,address,bytes32,string,uint32,uint64,bytes32) assignment) view returns(bytes32)
func (transcoderBond *TranscoderBond) PackAssignmentDigest(assignment ITranscoderBondAssignment) []byte {
	enc, err := transcoderBond.abi.Pack("assignmentDigest", assignment)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackAssignmentDigest is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe17d3e3c.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function assignmentDigest((address,address,bytes32,string,uint32,uint64,bytes32) assignment) view returns(bytes32)
func (transcoderBond *TranscoderBond) TryPackAssignmentDigest(assignment ITranscoderBondAssignment) ([]byte, error) {
	return transcoderBond.abi.Pack("assignmentDigest", assignment)
}

// UnpackAssignmentDigest is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xe17d3e3c.
//
// Solidity: function assignmentDigest((address,address,bytes32,string,uint32,uint64,bytes32) assignment) view returns(bytes32)
func (transcoderBond *TranscoderBond) UnpackAssignmentDigest(data []byte) ([32]byte, error) {
	out, err := transcoderBond.abi.Unpack("assignmentDigest", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackBond is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x247ce85b.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function bond(address transcoder) payable returns()
func (transcoderBond *TranscoderBond) PackBond(transcoder common.Address) []byte {
	enc, err := transcoderBond.abi.Pack("bond", transcoder)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackBond is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x247ce85b.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function bond(address transcoder) payable returns()
func (transcoderBond *TranscoderBond) TryPackBond(transcoder common.Address) ([]byte, error) {
	return transcoderBond.abi.Pack("bond", transcoder)
}

// PackBondOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x72d2b6c0.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function bondOf(address transcoder) view returns(uint96 amount, uint96 unbonding, uint40 unbondEnd)
func (transcoderBond *TranscoderBond) PackBondOf(transcoder common.Address) []byte {
	enc, err := transcoderBond.abi.Pack("bondOf", transcoder)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackBondOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x72d2b6c0.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function bondOf(address transcoder) view returns(uint96 amount, uint96 unbonding, uint40 unbondEnd)
func (transcoderBond *TranscoderBond) TryPackBondOf(transcoder common.Address) ([]byte, error) {
	return transcoderBond.abi.Pack("bondOf", transcoder)
}

// BondOfOutput serves as a container for the return parameters of contract
// method BondOf.
type BondOfOutput struct {
	Amount    *big.Int
	Unbonding *big.Int
	UnbondEnd *big.Int
}

// UnpackBondOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x72d2b6c0.
//
// Solidity: function bondOf(address transcoder) view returns(uint96 amount, uint96 unbonding, uint40 unbondEnd)
func (transcoderBond *TranscoderBond) UnpackBondOf(data []byte) (BondOfOutput, error) {
	out, err := transcoderBond.abi.Unpack("bondOf", data)
	outstruct := new(BondOfOutput)
	if err != nil {
		return *outstruct, err
	}
	outstruct.Amount = abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	outstruct.Unbonding = abi.ConvertType(out[1], new(big.Int)).(*big.Int)
	outstruct.UnbondEnd = abi.ConvertType(out[2], new(big.Int)).(*big.Int)
	return *outstruct, nil
}

// PackClaimIdOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xfcaf7d45.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function claimIdOf(address orchestrator, address transcoder, bytes32 lease, bytes32 attempt) pure returns(bytes32)
func (transcoderBond *TranscoderBond) PackClaimIdOf(orchestrator common.Address, transcoder common.Address, lease [32]byte, attempt [32]byte) []byte {
	enc, err := transcoderBond.abi.Pack("claimIdOf", orchestrator, transcoder, lease, attempt)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackClaimIdOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xfcaf7d45.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function claimIdOf(address orchestrator, address transcoder, bytes32 lease, bytes32 attempt) pure returns(bytes32)
func (transcoderBond *TranscoderBond) TryPackClaimIdOf(orchestrator common.Address, transcoder common.Address, lease [32]byte, attempt [32]byte) ([]byte, error) {
	return transcoderBond.abi.Pack("claimIdOf", orchestrator, transcoder, lease, attempt)
}

// UnpackClaimIdOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xfcaf7d45.
//
// Solidity: function claimIdOf(address orchestrator, address transcoder, bytes32 lease, bytes32 attempt) pure returns(bytes32)
func (transcoderBond *TranscoderBond) UnpackClaimIdOf(data []byte) ([32]byte, error) {
	out, err := transcoderBond.abi.Unpack("claimIdOf", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackClaimOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x903fafea.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function claimOf(bytes32 id) view returns(uint8 state, address transcoder, address reporter, uint96 amount, uint40 disputableUntil)
func (transcoderBond *TranscoderBond) PackClaimOf(id [32]byte) []byte {
	enc, err := transcoderBond.abi.Pack("claimOf", id)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackClaimOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x903fafea.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function claimOf(bytes32 id) view returns(uint8 state, address transcoder, address reporter, uint96 amount, uint40 disputableUntil)
func (transcoderBond *TranscoderBond) TryPackClaimOf(id [32]byte) ([]byte, error) {
	return transcoderBond.abi.Pack("claimOf", id)
}

// ClaimOfOutput serves as a container for the return parameters of contract
// method ClaimOf.
type ClaimOfOutput struct {
	State           uint8
	Transcoder      common.Address
	Reporter        common.Address
	Amount          *big.Int
	DisputableUntil *big.Int
}

// UnpackClaimOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x903fafea.
//
// Solidity: function claimOf(bytes32 id) view returns(uint8 state, address transcoder, address reporter, uint96 amount, uint40 disputableUntil)
func (transcoderBond *TranscoderBond) UnpackClaimOf(data []byte) (ClaimOfOutput, error) {
	out, err := transcoderBond.abi.Unpack("claimOf", data)
	outstruct := new(ClaimOfOutput)
	if err != nil {
		return *outstruct, err
	}
	outstruct.State = *abi.ConvertType(out[0], new(uint8)).(*uint8)
	outstruct.Transcoder = *abi.ConvertType(out[1], new(common.Address)).(*common.Address)
	outstruct.Reporter = *abi.ConvertType(out[2], new(common.Address)).(*common.Address)
	outstruct.Amount = abi.ConvertType(out[3], new(big.Int)).(*big.Int)
	outstruct.DisputableUntil = abi.ConvertType(out[4], new(big.Int)).(*big.Int)
	return *outstruct, nil
}

// PackLastBondPause is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7faf6a79.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function lastPause() view returns(uint40 start, uint40 end)
func (transcoderBond *TranscoderBond) PackLastBondPause() []byte {
	enc, err := transcoderBond.abi.Pack("lastPause")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackLastBondPause is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7faf6a79.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function lastPause() view returns(uint40 start, uint40 end)
func (transcoderBond *TranscoderBond) TryPackLastBondPause() ([]byte, error) {
	return transcoderBond.abi.Pack("lastPause")
}

// LastBondPauseOutput serves as a container for the return parameters of contract
// method LastBondPause.
type LastBondPauseOutput struct {
	Start *big.Int
	End   *big.Int
}

// UnpackLastBondPause is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x7faf6a79.
//
// Solidity: function lastPause() view returns(uint40 start, uint40 end)
func (transcoderBond *TranscoderBond) UnpackLastBondPause(data []byte) (LastBondPauseOutput, error) {
	out, err := transcoderBond.abi.Unpack("lastPause", data)
	outstruct := new(LastBondPauseOutput)
	if err != nil {
		return *outstruct, err
	}
	outstruct.Start = abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	outstruct.End = abi.ConvertType(out[1], new(big.Int)).(*big.Int)
	return *outstruct, nil
}

// PackPause is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8456cb59.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function pause() returns()
func (transcoderBond *TranscoderBond) PackPause() []byte {
	enc, err := transcoderBond.abi.Pack("pause")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackPause is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8456cb59.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function pause() returns()
func (transcoderBond *TranscoderBond) TryPackPause() ([]byte, error) {
	return transcoderBond.abi.Pack("pause")
}

// PackProxiableUUID is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x52d1902d.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function proxiableUUID() view returns(bytes32)
func (transcoderBond *TranscoderBond) PackProxiableUUID() []byte {
	enc, err := transcoderBond.abi.Pack("proxiableUUID")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackProxiableUUID is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x52d1902d.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function proxiableUUID() view returns(bytes32)
func (transcoderBond *TranscoderBond) TryPackProxiableUUID() ([]byte, error) {
	return transcoderBond.abi.Pack("proxiableUUID")
}

// UnpackProxiableUUID is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x52d1902d.
//
// Solidity: function proxiableUUID() view returns(bytes32)
func (transcoderBond *TranscoderBond) UnpackProxiableUUID(data []byte) ([32]byte, error) {
	out, err := transcoderBond.abi.Unpack("proxiableUUID", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackRebut is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x9642e924.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function rebut(bytes32 id, (address,address,bytes32,string,uint32,uint64,bytes32) other, bytes signature) returns()
func (transcoderBond *TranscoderBond) PackRebut(id [32]byte, other ITranscoderBondAssignment, signature []byte) []byte {
	enc, err := transcoderBond.abi.Pack("rebut", id, other, signature)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRebut is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x9642e924.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function rebut(bytes32 id, (address,address,bytes32,string,uint32,uint64,bytes32) other, bytes signature) returns()
func (transcoderBond *TranscoderBond) TryPackRebut(id [32]byte, other ITranscoderBondAssignment, signature []byte) ([]byte, error) {
	return transcoderBond.abi.Pack("rebut", id, other, signature)
}

// PackReceiptDigest is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa679e240.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function receiptDigest((address,address,bytes32,uint64,bytes32,bytes32,(bytes32,bytes32,uint64,uint32,int64,int64)[]) receipt) view returns(bytes32)
func (transcoderBond *TranscoderBond) PackReceiptDigest(receipt ITranscoderBondReceipt) []byte {
	enc, err := transcoderBond.abi.Pack("receiptDigest", receipt)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackReceiptDigest is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa679e240.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function receiptDigest((address,address,bytes32,uint64,bytes32,bytes32,(bytes32,bytes32,uint64,uint32,int64,int64)[]) receipt) view returns(bytes32)
func (transcoderBond *TranscoderBond) TryPackReceiptDigest(receipt ITranscoderBondReceipt) ([]byte, error) {
	return transcoderBond.abi.Pack("receiptDigest", receipt)
}

// UnpackReceiptDigest is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xa679e240.
//
// Solidity: function receiptDigest((address,address,bytes32,uint64,bytes32,bytes32,(bytes32,bytes32,uint64,uint32,int64,int64)[]) receipt) view returns(bytes32)
func (transcoderBond *TranscoderBond) UnpackReceiptDigest(data []byte) ([32]byte, error) {
	out, err := transcoderBond.abi.Unpack("receiptDigest", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackRelease is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x19165587.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function release(address to) returns(uint256 released)
func (transcoderBond *TranscoderBond) PackRelease(to common.Address) []byte {
	enc, err := transcoderBond.abi.Pack("release", to)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRelease is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x19165587.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function release(address to) returns(uint256 released)
func (transcoderBond *TranscoderBond) TryPackRelease(to common.Address) ([]byte, error) {
	return transcoderBond.abi.Pack("release", to)
}

// UnpackRelease is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x19165587.
//
// Solidity: function release(address to) returns(uint256 released)
func (transcoderBond *TranscoderBond) UnpackRelease(data []byte) (*big.Int, error) {
	out, err := transcoderBond.abi.Unpack("release", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackReport is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xaf97768f.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function report((address,address,bytes32,string,uint32,uint64,bytes32) assignment, (address,address,bytes32,uint64,bytes32,bytes32,(bytes32,bytes32,uint64,uint32,int64,int64)[]) a, (address,address,bytes32,uint64,bytes32,bytes32,(bytes32,bytes32,uint64,uint32,int64,int64)[]) b, bytes[3] signatures) returns(bytes32 id)
func (transcoderBond *TranscoderBond) PackReport(assignment ITranscoderBondAssignment, a ITranscoderBondReceipt, b ITranscoderBondReceipt, signatures [3][]byte) []byte {
	enc, err := transcoderBond.abi.Pack("report", assignment, a, b, signatures)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackReport is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xaf97768f.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function report((address,address,bytes32,string,uint32,uint64,bytes32) assignment, (address,address,bytes32,uint64,bytes32,bytes32,(bytes32,bytes32,uint64,uint32,int64,int64)[]) a, (address,address,bytes32,uint64,bytes32,bytes32,(bytes32,bytes32,uint64,uint32,int64,int64)[]) b, bytes[3] signatures) returns(bytes32 id)
func (transcoderBond *TranscoderBond) TryPackReport(assignment ITranscoderBondAssignment, a ITranscoderBondReceipt, b ITranscoderBondReceipt, signatures [3][]byte) ([]byte, error) {
	return transcoderBond.abi.Pack("report", assignment, a, b, signatures)
}

// UnpackReport is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xaf97768f.
//
// Solidity: function report((address,address,bytes32,string,uint32,uint64,bytes32) assignment, (address,address,bytes32,uint64,bytes32,bytes32,(bytes32,bytes32,uint64,uint32,int64,int64)[]) a, (address,address,bytes32,uint64,bytes32,bytes32,(bytes32,bytes32,uint64,uint32,int64,int64)[]) b, bytes[3] signatures) returns(bytes32 id)
func (transcoderBond *TranscoderBond) UnpackReport(data []byte) ([32]byte, error) {
	out, err := transcoderBond.abi.Unpack("report", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackSlash is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf415ed14.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function slash(bytes32 id) returns()
func (transcoderBond *TranscoderBond) PackSlash(id [32]byte) []byte {
	enc, err := transcoderBond.abi.Pack("slash", id)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSlash is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf415ed14.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function slash(bytes32 id) returns()
func (transcoderBond *TranscoderBond) TryPackSlash(id [32]byte) ([]byte, error) {
	return transcoderBond.abi.Pack("slash", id)
}

// PackUnbond is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x27de9e32.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function unbond(uint256 amount) returns()
func (transcoderBond *TranscoderBond) PackUnbond(amount *big.Int) []byte {
	enc, err := transcoderBond.abi.Pack("unbond", amount)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackUnbond is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x27de9e32.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function unbond(uint256 amount) returns()
func (transcoderBond *TranscoderBond) TryPackUnbond(amount *big.Int) ([]byte, error) {
	return transcoderBond.abi.Pack("unbond", amount)
}

// PackUnpause is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x3f4ba83a.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function unpause() returns()
func (transcoderBond *TranscoderBond) PackUnpause() []byte {
	enc, err := transcoderBond.abi.Pack("unpause")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackUnpause is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x3f4ba83a.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function unpause() returns()
func (transcoderBond *TranscoderBond) TryPackUnpause() ([]byte, error) {
	return transcoderBond.abi.Pack("unpause")
}

// PackUpgradeToAndCall is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x4f1ef286.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function upgradeToAndCall(address newImplementation, bytes data) payable returns()
func (transcoderBond *TranscoderBond) PackUpgradeToAndCall(newImplementation common.Address, data []byte) []byte {
	enc, err := transcoderBond.abi.Pack("upgradeToAndCall", newImplementation, data)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackUpgradeToAndCall is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x4f1ef286.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function upgradeToAndCall(address newImplementation, bytes data) payable returns()
func (transcoderBond *TranscoderBond) TryPackUpgradeToAndCall(newImplementation common.Address, data []byte) ([]byte, error) {
	return transcoderBond.abi.Pack("upgradeToAndCall", newImplementation, data)
}

// TranscoderBondBonded represents a Bonded event raised by the TranscoderBond contract.
type TranscoderBondBonded struct {
	Funder     common.Address
	Transcoder common.Address
	Amount     *big.Int
	Raw        *types.Log // Blockchain specific contextual infos
}

const TranscoderBondBondedEventName = "Bonded"

// ContractEventName returns the user-defined event name.
func (TranscoderBondBonded) ContractEventName() string {
	return TranscoderBondBondedEventName
}

// UnpackBondedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Bonded(address indexed funder, address indexed transcoder, uint256 amount)
func (transcoderBond *TranscoderBond) UnpackBondedEvent(log *types.Log) (*TranscoderBondBonded, error) {
	event := "Bonded"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != transcoderBond.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TranscoderBondBonded)
	if len(log.Data) > 0 {
		if err := transcoderBond.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range transcoderBond.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// TranscoderBondClaimRebutted represents a ClaimRebutted event raised by the TranscoderBond contract.
type TranscoderBondClaimRebutted struct {
	Claim      [32]byte
	Transcoder common.Address
	Amount     *big.Int
	Raw        *types.Log // Blockchain specific contextual infos
}

const TranscoderBondClaimRebuttedEventName = "ClaimRebutted"

// ContractEventName returns the user-defined event name.
func (TranscoderBondClaimRebutted) ContractEventName() string {
	return TranscoderBondClaimRebuttedEventName
}

// UnpackClaimRebuttedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event ClaimRebutted(bytes32 indexed claim, address indexed transcoder, uint256 amount)
func (transcoderBond *TranscoderBond) UnpackClaimRebuttedEvent(log *types.Log) (*TranscoderBondClaimRebutted, error) {
	event := "ClaimRebutted"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != transcoderBond.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TranscoderBondClaimRebutted)
	if len(log.Data) > 0 {
		if err := transcoderBond.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range transcoderBond.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// TranscoderBondEquivocationReported represents a EquivocationReported event raised by the TranscoderBond contract.
type TranscoderBondEquivocationReported struct {
	Claim        [32]byte
	Transcoder   common.Address
	Reporter     common.Address
	Orchestrator common.Address
	Attempt      [32]byte
	Amount       *big.Int
	Raw          *types.Log // Blockchain specific contextual infos
}

const TranscoderBondEquivocationReportedEventName = "EquivocationReported"

// ContractEventName returns the user-defined event name.
func (TranscoderBondEquivocationReported) ContractEventName() string {
	return TranscoderBondEquivocationReportedEventName
}

// UnpackEquivocationReportedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event EquivocationReported(bytes32 indexed claim, address indexed transcoder, address indexed reporter, address orchestrator, bytes32 attempt, uint256 amount)
func (transcoderBond *TranscoderBond) UnpackEquivocationReportedEvent(log *types.Log) (*TranscoderBondEquivocationReported, error) {
	event := "EquivocationReported"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != transcoderBond.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TranscoderBondEquivocationReported)
	if len(log.Data) > 0 {
		if err := transcoderBond.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range transcoderBond.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// TranscoderBondPaused represents a Paused event raised by the TranscoderBond contract.
type TranscoderBondPaused struct {
	By  common.Address
	End *big.Int
	Raw *types.Log // Blockchain specific contextual infos
}

const TranscoderBondPausedEventName = "Paused"

// ContractEventName returns the user-defined event name.
func (TranscoderBondPaused) ContractEventName() string {
	return TranscoderBondPausedEventName
}

// UnpackPausedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Paused(address indexed by, uint256 end)
func (transcoderBond *TranscoderBond) UnpackPausedEvent(log *types.Log) (*TranscoderBondPaused, error) {
	event := "Paused"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != transcoderBond.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TranscoderBondPaused)
	if len(log.Data) > 0 {
		if err := transcoderBond.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range transcoderBond.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// TranscoderBondSlashed represents a Slashed event raised by the TranscoderBond contract.
type TranscoderBondSlashed struct {
	Claim      [32]byte
	Transcoder common.Address
	Reporter   common.Address
	Reward     *big.Int
	Burned     *big.Int
	Raw        *types.Log // Blockchain specific contextual infos
}

const TranscoderBondSlashedEventName = "Slashed"

// ContractEventName returns the user-defined event name.
func (TranscoderBondSlashed) ContractEventName() string {
	return TranscoderBondSlashedEventName
}

// UnpackSlashedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Slashed(bytes32 indexed claim, address indexed transcoder, address indexed reporter, uint256 reward, uint256 burned)
func (transcoderBond *TranscoderBond) UnpackSlashedEvent(log *types.Log) (*TranscoderBondSlashed, error) {
	event := "Slashed"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != transcoderBond.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TranscoderBondSlashed)
	if len(log.Data) > 0 {
		if err := transcoderBond.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range transcoderBond.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// TranscoderBondUnbonded represents a Unbonded event raised by the TranscoderBond contract.
type TranscoderBondUnbonded struct {
	Transcoder common.Address
	To         common.Address
	Amount     *big.Int
	Raw        *types.Log // Blockchain specific contextual infos
}

const TranscoderBondUnbondedEventName = "Unbonded"

// ContractEventName returns the user-defined event name.
func (TranscoderBondUnbonded) ContractEventName() string {
	return TranscoderBondUnbondedEventName
}

// UnpackUnbondedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Unbonded(address indexed transcoder, address indexed to, uint256 amount)
func (transcoderBond *TranscoderBond) UnpackUnbondedEvent(log *types.Log) (*TranscoderBondUnbonded, error) {
	event := "Unbonded"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != transcoderBond.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TranscoderBondUnbonded)
	if len(log.Data) > 0 {
		if err := transcoderBond.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range transcoderBond.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// TranscoderBondUnbondingReduced represents a UnbondingReduced event raised by the TranscoderBond contract.
type TranscoderBondUnbondingReduced struct {
	Transcoder common.Address
	Unbonding  *big.Int
	Raw        *types.Log // Blockchain specific contextual infos
}

const TranscoderBondUnbondingReducedEventName = "UnbondingReduced"

// ContractEventName returns the user-defined event name.
func (TranscoderBondUnbondingReduced) ContractEventName() string {
	return TranscoderBondUnbondingReducedEventName
}

// UnpackUnbondingReducedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event UnbondingReduced(address indexed transcoder, uint256 unbonding)
func (transcoderBond *TranscoderBond) UnpackUnbondingReducedEvent(log *types.Log) (*TranscoderBondUnbondingReduced, error) {
	event := "UnbondingReduced"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != transcoderBond.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TranscoderBondUnbondingReduced)
	if len(log.Data) > 0 {
		if err := transcoderBond.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range transcoderBond.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// TranscoderBondUnbondingStarted represents a UnbondingStarted event raised by the TranscoderBond contract.
type TranscoderBondUnbondingStarted struct {
	Transcoder common.Address
	Unbonding  *big.Int
	UnbondEnd  *big.Int
	Raw        *types.Log // Blockchain specific contextual infos
}

const TranscoderBondUnbondingStartedEventName = "UnbondingStarted"

// ContractEventName returns the user-defined event name.
func (TranscoderBondUnbondingStarted) ContractEventName() string {
	return TranscoderBondUnbondingStartedEventName
}

// UnpackUnbondingStartedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event UnbondingStarted(address indexed transcoder, uint256 unbonding, uint256 unbondEnd)
func (transcoderBond *TranscoderBond) UnpackUnbondingStartedEvent(log *types.Log) (*TranscoderBondUnbondingStarted, error) {
	event := "UnbondingStarted"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != transcoderBond.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TranscoderBondUnbondingStarted)
	if len(log.Data) > 0 {
		if err := transcoderBond.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range transcoderBond.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// TranscoderBondUnpaused represents a Unpaused event raised by the TranscoderBond contract.
type TranscoderBondUnpaused struct {
	By  common.Address
	Raw *types.Log // Blockchain specific contextual infos
}

const TranscoderBondUnpausedEventName = "Unpaused"

// ContractEventName returns the user-defined event name.
func (TranscoderBondUnpaused) ContractEventName() string {
	return TranscoderBondUnpausedEventName
}

// UnpackUnpausedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Unpaused(address indexed by)
func (transcoderBond *TranscoderBond) UnpackUnpausedEvent(log *types.Log) (*TranscoderBondUnpaused, error) {
	event := "Unpaused"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != transcoderBond.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TranscoderBondUnpaused)
	if len(log.Data) > 0 {
		if err := transcoderBond.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range transcoderBond.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// TranscoderBondUpgraded represents a Upgraded event raised by the TranscoderBond contract.
type TranscoderBondUpgraded struct {
	Implementation common.Address
	Raw            *types.Log // Blockchain specific contextual infos
}

const TranscoderBondUpgradedEventName = "Upgraded"

// ContractEventName returns the user-defined event name.
func (TranscoderBondUpgraded) ContractEventName() string {
	return TranscoderBondUpgradedEventName
}

// UnpackUpgradedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Upgraded(address indexed implementation)
func (transcoderBond *TranscoderBond) UnpackUpgradedEvent(log *types.Log) (*TranscoderBondUpgraded, error) {
	event := "Upgraded"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != transcoderBond.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TranscoderBondUpgraded)
	if len(log.Data) > 0 {
		if err := transcoderBond.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range transcoderBond.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// UnpackError attempts to decode the provided error data using user-defined
// error definitions.
func (transcoderBond *TranscoderBond) UnpackError(raw []byte) (any, error) {
	if bytes.Equal(raw[:4], transcoderBond.abi.Errors["AddressEmptyCode"].ID.Bytes()[:4]) {
		return transcoderBond.UnpackAddressEmptyCodeError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBond.abi.Errors["BadSignature"].ID.Bytes()[:4]) {
		return transcoderBond.UnpackBadSignatureError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBond.abi.Errors["ClaimExists"].ID.Bytes()[:4]) {
		return transcoderBond.UnpackClaimExistsError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBond.abi.Errors["ClaimNotOpen"].ID.Bytes()[:4]) {
		return transcoderBond.UnpackClaimNotOpenError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBond.abi.Errors["DisputeOver"].ID.Bytes()[:4]) {
		return transcoderBond.UnpackDisputeOverError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBond.abi.Errors["ERC1967InvalidImplementation"].ID.Bytes()[:4]) {
		return transcoderBond.UnpackERC1967InvalidImplementationError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBond.abi.Errors["ERC1967NonPayable"].ID.Bytes()[:4]) {
		return transcoderBond.UnpackERC1967NonPayableError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBond.abi.Errors["FailedCall"].ID.Bytes()[:4]) {
		return transcoderBond.UnpackFailedCallError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBond.abi.Errors["InsufficientBond"].ID.Bytes()[:4]) {
		return transcoderBond.UnpackInsufficientBondError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBond.abi.Errors["NoEquivocation"].ID.Bytes()[:4]) {
		return transcoderBond.UnpackNoEquivocationError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBond.abi.Errors["NoRebuttal"].ID.Bytes()[:4]) {
		return transcoderBond.UnpackNoRebuttalError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBond.abi.Errors["NotOneAttempt"].ID.Bytes()[:4]) {
		return transcoderBond.UnpackNotOneAttemptError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBond.abi.Errors["NotPaused"].ID.Bytes()[:4]) {
		return transcoderBond.UnpackNotPausedError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBond.abi.Errors["NothingBonded"].ID.Bytes()[:4]) {
		return transcoderBond.UnpackNothingBondedError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBond.abi.Errors["NothingUnbonding"].ID.Bytes()[:4]) {
		return transcoderBond.UnpackNothingUnbondingError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBond.abi.Errors["ParametersOutOfRange"].ID.Bytes()[:4]) {
		return transcoderBond.UnpackParametersOutOfRangeError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBond.abi.Errors["PausedTooRecently"].ID.Bytes()[:4]) {
		return transcoderBond.UnpackPausedTooRecentlyError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBond.abi.Errors["PausedUntil"].ID.Bytes()[:4]) {
		return transcoderBond.UnpackPausedUntilError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBond.abi.Errors["StillDisputable"].ID.Bytes()[:4]) {
		return transcoderBond.UnpackStillDisputableError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBond.abi.Errors["StillUnbonding"].ID.Bytes()[:4]) {
		return transcoderBond.UnpackStillUnbondingError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBond.abi.Errors["TransferFailed"].ID.Bytes()[:4]) {
		return transcoderBond.UnpackTransferFailedError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBond.abi.Errors["UUPSUnauthorizedCallContext"].ID.Bytes()[:4]) {
		return transcoderBond.UnpackUUPSUnauthorizedCallContextError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBond.abi.Errors["UUPSUnsupportedProxiableUUID"].ID.Bytes()[:4]) {
		return transcoderBond.UnpackUUPSUnsupportedProxiableUUIDError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBond.abi.Errors["Unauthorised"].ID.Bytes()[:4]) {
		return transcoderBond.UnpackUnauthorisedError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBond.abi.Errors["ZeroAddress"].ID.Bytes()[:4]) {
		return transcoderBond.UnpackZeroAddressError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBond.abi.Errors["ZeroAmount"].ID.Bytes()[:4]) {
		return transcoderBond.UnpackZeroAmountError(raw[4:])
	}
	return nil, errors.New("Unknown error")
}

// TranscoderBondAddressEmptyCode represents a AddressEmptyCode error raised by the TranscoderBond contract.
type TranscoderBondAddressEmptyCode struct {
	Target common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error AddressEmptyCode(address target)
func TranscoderBondAddressEmptyCodeErrorID() common.Hash {
	return common.HexToHash("0x9996b315c842ff135b8fc4a08ad5df1c344efbc03d2687aecc0678050d2aac89")
}

// UnpackAddressEmptyCodeError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error AddressEmptyCode(address target)
func (transcoderBond *TranscoderBond) UnpackAddressEmptyCodeError(raw []byte) (*TranscoderBondAddressEmptyCode, error) {
	out := new(TranscoderBondAddressEmptyCode)
	if err := transcoderBond.abi.UnpackIntoInterface(out, "AddressEmptyCode", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondBadSignature represents a BadSignature error raised by the TranscoderBond contract.
type TranscoderBondBadSignature struct {
	Expected common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error BadSignature(address expected)
func TranscoderBondBadSignatureErrorID() common.Hash {
	return common.HexToHash("0x9a7d38d94d3da0d5188ab778bbe9a3a38c77802b1bf2426c15740dc786da791d")
}

// UnpackBadSignatureError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error BadSignature(address expected)
func (transcoderBond *TranscoderBond) UnpackBadSignatureError(raw []byte) (*TranscoderBondBadSignature, error) {
	out := new(TranscoderBondBadSignature)
	if err := transcoderBond.abi.UnpackIntoInterface(out, "BadSignature", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondClaimExists represents a ClaimExists error raised by the TranscoderBond contract.
type TranscoderBondClaimExists struct {
	Claim [32]byte
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ClaimExists(bytes32 claim)
func TranscoderBondClaimExistsErrorID() common.Hash {
	return common.HexToHash("0xe0b2f38a6fac06aad344072ad8341b6dce7e68ea93d54f957017a5c257fb4737")
}

// UnpackClaimExistsError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ClaimExists(bytes32 claim)
func (transcoderBond *TranscoderBond) UnpackClaimExistsError(raw []byte) (*TranscoderBondClaimExists, error) {
	out := new(TranscoderBondClaimExists)
	if err := transcoderBond.abi.UnpackIntoInterface(out, "ClaimExists", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondClaimNotOpen represents a ClaimNotOpen error raised by the TranscoderBond contract.
type TranscoderBondClaimNotOpen struct {
	Claim [32]byte
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ClaimNotOpen(bytes32 claim)
func TranscoderBondClaimNotOpenErrorID() common.Hash {
	return common.HexToHash("0x775f847ff87f9c88b7176a2f68355467b47071275712d2c26bb3f95911a342ce")
}

// UnpackClaimNotOpenError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ClaimNotOpen(bytes32 claim)
func (transcoderBond *TranscoderBond) UnpackClaimNotOpenError(raw []byte) (*TranscoderBondClaimNotOpen, error) {
	out := new(TranscoderBondClaimNotOpen)
	if err := transcoderBond.abi.UnpackIntoInterface(out, "ClaimNotOpen", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondDisputeOver represents a DisputeOver error raised by the TranscoderBond contract.
type TranscoderBondDisputeOver struct {
	Since *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error DisputeOver(uint256 since)
func TranscoderBondDisputeOverErrorID() common.Hash {
	return common.HexToHash("0xefdee5e462a8be8d228606ae17003823bd017beceb62eee3302136ffda1892ce")
}

// UnpackDisputeOverError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error DisputeOver(uint256 since)
func (transcoderBond *TranscoderBond) UnpackDisputeOverError(raw []byte) (*TranscoderBondDisputeOver, error) {
	out := new(TranscoderBondDisputeOver)
	if err := transcoderBond.abi.UnpackIntoInterface(out, "DisputeOver", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondERC1967InvalidImplementation represents a ERC1967InvalidImplementation error raised by the TranscoderBond contract.
type TranscoderBondERC1967InvalidImplementation struct {
	Implementation common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ERC1967InvalidImplementation(address implementation)
func TranscoderBondERC1967InvalidImplementationErrorID() common.Hash {
	return common.HexToHash("0x4c9c8ce3ceb3130f17f7cdba48d89b5b0129f266a8bac114e6e315a41879b617")
}

// UnpackERC1967InvalidImplementationError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ERC1967InvalidImplementation(address implementation)
func (transcoderBond *TranscoderBond) UnpackERC1967InvalidImplementationError(raw []byte) (*TranscoderBondERC1967InvalidImplementation, error) {
	out := new(TranscoderBondERC1967InvalidImplementation)
	if err := transcoderBond.abi.UnpackIntoInterface(out, "ERC1967InvalidImplementation", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondERC1967NonPayable represents a ERC1967NonPayable error raised by the TranscoderBond contract.
type TranscoderBondERC1967NonPayable struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ERC1967NonPayable()
func TranscoderBondERC1967NonPayableErrorID() common.Hash {
	return common.HexToHash("0xb398979fa84f543c8e222f17890372c487baf85e062276c127fef521eea7224b")
}

// UnpackERC1967NonPayableError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ERC1967NonPayable()
func (transcoderBond *TranscoderBond) UnpackERC1967NonPayableError(raw []byte) (*TranscoderBondERC1967NonPayable, error) {
	out := new(TranscoderBondERC1967NonPayable)
	if err := transcoderBond.abi.UnpackIntoInterface(out, "ERC1967NonPayable", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondFailedCall represents a FailedCall error raised by the TranscoderBond contract.
type TranscoderBondFailedCall struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error FailedCall()
func TranscoderBondFailedCallErrorID() common.Hash {
	return common.HexToHash("0xd6bda27508c0fb6d8a39b4b122878dab26f731a7d4e4abe711dd3731899052a4")
}

// UnpackFailedCallError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error FailedCall()
func (transcoderBond *TranscoderBond) UnpackFailedCallError(raw []byte) (*TranscoderBondFailedCall, error) {
	out := new(TranscoderBondFailedCall)
	if err := transcoderBond.abi.UnpackIntoInterface(out, "FailedCall", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondInsufficientBond represents a InsufficientBond error raised by the TranscoderBond contract.
type TranscoderBondInsufficientBond struct {
	Bond   *big.Int
	Amount *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error InsufficientBond(uint256 bond, uint256 amount)
func TranscoderBondInsufficientBondErrorID() common.Hash {
	return common.HexToHash("0x44d4caf750ea74407547ceb252d1c72d961f5025a7b3473fac9b354f227e0fd6")
}

// UnpackInsufficientBondError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error InsufficientBond(uint256 bond, uint256 amount)
func (transcoderBond *TranscoderBond) UnpackInsufficientBondError(raw []byte) (*TranscoderBondInsufficientBond, error) {
	out := new(TranscoderBondInsufficientBond)
	if err := transcoderBond.abi.UnpackIntoInterface(out, "InsufficientBond", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondNoEquivocation represents a NoEquivocation error raised by the TranscoderBond contract.
type TranscoderBondNoEquivocation struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NoEquivocation()
func TranscoderBondNoEquivocationErrorID() common.Hash {
	return common.HexToHash("0xf6956d99459153f0888a509b9ac0f632261231eb030ffc05ba465140990de07f")
}

// UnpackNoEquivocationError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NoEquivocation()
func (transcoderBond *TranscoderBond) UnpackNoEquivocationError(raw []byte) (*TranscoderBondNoEquivocation, error) {
	out := new(TranscoderBondNoEquivocation)
	if err := transcoderBond.abi.UnpackIntoInterface(out, "NoEquivocation", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondNoRebuttal represents a NoRebuttal error raised by the TranscoderBond contract.
type TranscoderBondNoRebuttal struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NoRebuttal()
func TranscoderBondNoRebuttalErrorID() common.Hash {
	return common.HexToHash("0xca19cb8e603a9edee3db3fbfdc24d05f7e1c16f52b880b74dba2827305c3cab0")
}

// UnpackNoRebuttalError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NoRebuttal()
func (transcoderBond *TranscoderBond) UnpackNoRebuttalError(raw []byte) (*TranscoderBondNoRebuttal, error) {
	out := new(TranscoderBondNoRebuttal)
	if err := transcoderBond.abi.UnpackIntoInterface(out, "NoRebuttal", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondNotOneAttempt represents a NotOneAttempt error raised by the TranscoderBond contract.
type TranscoderBondNotOneAttempt struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotOneAttempt()
func TranscoderBondNotOneAttemptErrorID() common.Hash {
	return common.HexToHash("0x36dc56f3fa707a30b50bea4bf15a2e6d619299cf03b6a6b11d97cddb033e2e6c")
}

// UnpackNotOneAttemptError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotOneAttempt()
func (transcoderBond *TranscoderBond) UnpackNotOneAttemptError(raw []byte) (*TranscoderBondNotOneAttempt, error) {
	out := new(TranscoderBondNotOneAttempt)
	if err := transcoderBond.abi.UnpackIntoInterface(out, "NotOneAttempt", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondNotPaused represents a NotPaused error raised by the TranscoderBond contract.
type TranscoderBondNotPaused struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotPaused()
func TranscoderBondNotPausedErrorID() common.Hash {
	return common.HexToHash("0x6cd602013233635730773e15e89b8a778034d859147e8f706bcd1aa42e228e06")
}

// UnpackNotPausedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotPaused()
func (transcoderBond *TranscoderBond) UnpackNotPausedError(raw []byte) (*TranscoderBondNotPaused, error) {
	out := new(TranscoderBondNotPaused)
	if err := transcoderBond.abi.UnpackIntoInterface(out, "NotPaused", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondNothingBonded represents a NothingBonded error raised by the TranscoderBond contract.
type TranscoderBondNothingBonded struct {
	Transcoder common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NothingBonded(address transcoder)
func TranscoderBondNothingBondedErrorID() common.Hash {
	return common.HexToHash("0x09230a5b19fb1e41ef0c90206619047989a25f6c939483d54c93c2f48dc898c3")
}

// UnpackNothingBondedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NothingBonded(address transcoder)
func (transcoderBond *TranscoderBond) UnpackNothingBondedError(raw []byte) (*TranscoderBondNothingBonded, error) {
	out := new(TranscoderBondNothingBonded)
	if err := transcoderBond.abi.UnpackIntoInterface(out, "NothingBonded", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondNothingUnbonding represents a NothingUnbonding error raised by the TranscoderBond contract.
type TranscoderBondNothingUnbonding struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NothingUnbonding()
func TranscoderBondNothingUnbondingErrorID() common.Hash {
	return common.HexToHash("0x262b9d748fda20db08b6aa78cd2783ad16f83036900561f929b0d4a942a89706")
}

// UnpackNothingUnbondingError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NothingUnbonding()
func (transcoderBond *TranscoderBond) UnpackNothingUnbondingError(raw []byte) (*TranscoderBondNothingUnbonding, error) {
	out := new(TranscoderBondNothingUnbonding)
	if err := transcoderBond.abi.UnpackIntoInterface(out, "NothingUnbonding", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondParametersOutOfRange represents a ParametersOutOfRange error raised by the TranscoderBond contract.
type TranscoderBondParametersOutOfRange struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ParametersOutOfRange()
func TranscoderBondParametersOutOfRangeErrorID() common.Hash {
	return common.HexToHash("0xe28b8819c4d47a9391277e8067504dfec867749925085222dd5df77f2884c0dd")
}

// UnpackParametersOutOfRangeError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ParametersOutOfRange()
func (transcoderBond *TranscoderBond) UnpackParametersOutOfRangeError(raw []byte) (*TranscoderBondParametersOutOfRange, error) {
	out := new(TranscoderBondParametersOutOfRange)
	if err := transcoderBond.abi.UnpackIntoInterface(out, "ParametersOutOfRange", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondPausedTooRecently represents a PausedTooRecently error raised by the TranscoderBond contract.
type TranscoderBondPausedTooRecently struct {
	PossibleFrom *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error PausedTooRecently(uint256 possibleFrom)
func TranscoderBondPausedTooRecentlyErrorID() common.Hash {
	return common.HexToHash("0x79abcd725bcf056c3f7910b17d0cbbf183c88335b04d07c4017f24da0a1b1f93")
}

// UnpackPausedTooRecentlyError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error PausedTooRecently(uint256 possibleFrom)
func (transcoderBond *TranscoderBond) UnpackPausedTooRecentlyError(raw []byte) (*TranscoderBondPausedTooRecently, error) {
	out := new(TranscoderBondPausedTooRecently)
	if err := transcoderBond.abi.UnpackIntoInterface(out, "PausedTooRecently", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondPausedUntil represents a PausedUntil error raised by the TranscoderBond contract.
type TranscoderBondPausedUntil struct {
	End *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error PausedUntil(uint256 end)
func TranscoderBondPausedUntilErrorID() common.Hash {
	return common.HexToHash("0x8b00ce48db245d0eb08e3afe42da49e72928dad89be0632e978e09be3f882a1e")
}

// UnpackPausedUntilError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error PausedUntil(uint256 end)
func (transcoderBond *TranscoderBond) UnpackPausedUntilError(raw []byte) (*TranscoderBondPausedUntil, error) {
	out := new(TranscoderBondPausedUntil)
	if err := transcoderBond.abi.UnpackIntoInterface(out, "PausedUntil", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondStillDisputable represents a StillDisputable error raised by the TranscoderBond contract.
type TranscoderBondStillDisputable struct {
	Until *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error StillDisputable(uint256 until)
func TranscoderBondStillDisputableErrorID() common.Hash {
	return common.HexToHash("0x59b104b318c3c088cc5ee4b8690a561af8bfed6f516324013fa364dd9b251c98")
}

// UnpackStillDisputableError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error StillDisputable(uint256 until)
func (transcoderBond *TranscoderBond) UnpackStillDisputableError(raw []byte) (*TranscoderBondStillDisputable, error) {
	out := new(TranscoderBondStillDisputable)
	if err := transcoderBond.abi.UnpackIntoInterface(out, "StillDisputable", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondStillUnbonding represents a StillUnbonding error raised by the TranscoderBond contract.
type TranscoderBondStillUnbonding struct {
	UnbondEnd *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error StillUnbonding(uint256 unbondEnd)
func TranscoderBondStillUnbondingErrorID() common.Hash {
	return common.HexToHash("0xdd9c8943df623a97725b8596f3128ba52275c892bb0f004ac2c2b3d04a948fdb")
}

// UnpackStillUnbondingError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error StillUnbonding(uint256 unbondEnd)
func (transcoderBond *TranscoderBond) UnpackStillUnbondingError(raw []byte) (*TranscoderBondStillUnbonding, error) {
	out := new(TranscoderBondStillUnbonding)
	if err := transcoderBond.abi.UnpackIntoInterface(out, "StillUnbonding", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondTransferFailed represents a TransferFailed error raised by the TranscoderBond contract.
type TranscoderBondTransferFailed struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error TransferFailed()
func TranscoderBondTransferFailedErrorID() common.Hash {
	return common.HexToHash("0x90b8ec1877afffd816d05d9b13947f3ff18ec5851c38bad15ec2b710f92391b1")
}

// UnpackTransferFailedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error TransferFailed()
func (transcoderBond *TranscoderBond) UnpackTransferFailedError(raw []byte) (*TranscoderBondTransferFailed, error) {
	out := new(TranscoderBondTransferFailed)
	if err := transcoderBond.abi.UnpackIntoInterface(out, "TransferFailed", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondUUPSUnauthorizedCallContext represents a UUPSUnauthorizedCallContext error raised by the TranscoderBond contract.
type TranscoderBondUUPSUnauthorizedCallContext struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error UUPSUnauthorizedCallContext()
func TranscoderBondUUPSUnauthorizedCallContextErrorID() common.Hash {
	return common.HexToHash("0xe07c8dba242a06571ac65fe4bbe20522c9fb111cb33599b799ff8039c1ed18f4")
}

// UnpackUUPSUnauthorizedCallContextError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error UUPSUnauthorizedCallContext()
func (transcoderBond *TranscoderBond) UnpackUUPSUnauthorizedCallContextError(raw []byte) (*TranscoderBondUUPSUnauthorizedCallContext, error) {
	out := new(TranscoderBondUUPSUnauthorizedCallContext)
	if err := transcoderBond.abi.UnpackIntoInterface(out, "UUPSUnauthorizedCallContext", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondUUPSUnsupportedProxiableUUID represents a UUPSUnsupportedProxiableUUID error raised by the TranscoderBond contract.
type TranscoderBondUUPSUnsupportedProxiableUUID struct {
	Slot [32]byte
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error UUPSUnsupportedProxiableUUID(bytes32 slot)
func TranscoderBondUUPSUnsupportedProxiableUUIDErrorID() common.Hash {
	return common.HexToHash("0xaa1d49a4c084bfa9aeeee2a0be65267a7f19ba7e1476b114dac513d2c14cb563")
}

// UnpackUUPSUnsupportedProxiableUUIDError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error UUPSUnsupportedProxiableUUID(bytes32 slot)
func (transcoderBond *TranscoderBond) UnpackUUPSUnsupportedProxiableUUIDError(raw []byte) (*TranscoderBondUUPSUnsupportedProxiableUUID, error) {
	out := new(TranscoderBondUUPSUnsupportedProxiableUUID)
	if err := transcoderBond.abi.UnpackIntoInterface(out, "UUPSUnsupportedProxiableUUID", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondUnauthorised represents a Unauthorised error raised by the TranscoderBond contract.
type TranscoderBondUnauthorised struct {
	Caller common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error Unauthorised(address caller)
func TranscoderBondUnauthorisedErrorID() common.Hash {
	return common.HexToHash("0xae10e1de59cb2c8af36e260f3ef4b614c0346fadd92321b47b3bad7edf3008be")
}

// UnpackUnauthorisedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error Unauthorised(address caller)
func (transcoderBond *TranscoderBond) UnpackUnauthorisedError(raw []byte) (*TranscoderBondUnauthorised, error) {
	out := new(TranscoderBondUnauthorised)
	if err := transcoderBond.abi.UnpackIntoInterface(out, "Unauthorised", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondZeroAddress represents a ZeroAddress error raised by the TranscoderBond contract.
type TranscoderBondZeroAddress struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ZeroAddress()
func TranscoderBondZeroAddressErrorID() common.Hash {
	return common.HexToHash("0xd92e233df2717d4a40030e20904abd27b68fcbeede117eaaccbbdac9618c8c73")
}

// UnpackZeroAddressError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ZeroAddress()
func (transcoderBond *TranscoderBond) UnpackZeroAddressError(raw []byte) (*TranscoderBondZeroAddress, error) {
	out := new(TranscoderBondZeroAddress)
	if err := transcoderBond.abi.UnpackIntoInterface(out, "ZeroAddress", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondZeroAmount represents a ZeroAmount error raised by the TranscoderBond contract.
type TranscoderBondZeroAmount struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ZeroAmount()
func TranscoderBondZeroAmountErrorID() common.Hash {
	return common.HexToHash("0x1f2a2005cb66a8e145327e8814e243a0996aec9bfe1e15a495778b1236dbd485")
}

// UnpackZeroAmountError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ZeroAmount()
func (transcoderBond *TranscoderBond) UnpackZeroAmountError(raw []byte) (*TranscoderBondZeroAmount, error) {
	out := new(TranscoderBondZeroAmount)
	if err := transcoderBond.abi.UnpackIntoInterface(out, "ZeroAmount", raw); err != nil {
		return nil, err
	}
	return out, nil
}
