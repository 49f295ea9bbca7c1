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

// ITicketEscrowTicket is an auto generated low-level Go binding around an user-defined struct.
type ITicketEscrowTicket struct {
	Payer             common.Address
	Recipient         common.Address
	Lane              uint16
	Nonce             uint64
	FaceValue         *big.Int
	WinProb           uint64
	Expiry            *big.Int
	RecipientRandHash [32]byte
	Salt              uint64
}

// TicketEscrowMetaData contains all meta data concerning the TicketEscrow contract.
var TicketEscrowMetaData = bind.MetaData{
	ABI: "[{\"type\":\"constructor\",\"inputs\":[{\"name\":\"thawPeriod\",\"type\":\"uint40\",\"internalType\":\"uint40\"}],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"DOMAIN_SEPARATOR\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"THAW_PERIOD\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint40\",\"internalType\":\"uint40\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"TICKET_TYPEHASH\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"account\",\"inputs\":[{\"name\":\"owner\",\"type\":\"address\",\"internalType\":\"address\"}],\"outputs\":[{\"name\":\"balance\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"opened\",\"type\":\"bool\",\"internalType\":\"bool\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"allocate\",\"inputs\":[{\"name\":\"recipient\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"amount\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"allocation\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"internalType\":\"address\"}],\"outputs\":[{\"name\":\"amount\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"thawing\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"thawEnd\",\"type\":\"uint40\",\"internalType\":\"uint40\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"deposit\",\"inputs\":[],\"outputs\":[],\"stateMutability\":\"payable\"},{\"type\":\"function\",\"name\":\"depositFor\",\"inputs\":[{\"name\":\"owner\",\"type\":\"address\",\"internalType\":\"address\"}],\"outputs\":[],\"stateMutability\":\"payable\"},{\"type\":\"function\",\"name\":\"eip712Domain\",\"inputs\":[],\"outputs\":[{\"name\":\"fields\",\"type\":\"bytes1\",\"internalType\":\"bytes1\"},{\"name\":\"name\",\"type\":\"string\",\"internalType\":\"string\"},{\"name\":\"version\",\"type\":\"string\",\"internalType\":\"string\"},{\"name\":\"chainId\",\"type\":\"uint256\",\"internalType\":\"uint256\"},{\"name\":\"verifyingContract\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"salt\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"extensions\",\"type\":\"uint256[]\",\"internalType\":\"uint256[]\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"isWinning\",\"inputs\":[{\"name\":\"recipientRand\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"digest\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"winProb\",\"type\":\"uint64\",\"internalType\":\"uint64\"}],\"outputs\":[{\"name\":\"\",\"type\":\"bool\",\"internalType\":\"bool\"}],\"stateMutability\":\"pure\"},{\"type\":\"function\",\"name\":\"laneWatermark\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"lane\",\"type\":\"uint16\",\"internalType\":\"uint16\"}],\"outputs\":[{\"name\":\"\",\"type\":\"uint64\",\"internalType\":\"uint64\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"redeem\",\"inputs\":[{\"name\":\"ticket\",\"type\":\"tuple\",\"internalType\":\"structITicketEscrow.Ticket\",\"components\":[{\"name\":\"payer\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"lane\",\"type\":\"uint16\",\"internalType\":\"uint16\"},{\"name\":\"nonce\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"faceValue\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"winProb\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"expiry\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"recipientRandHash\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"salt\",\"type\":\"uint64\",\"internalType\":\"uint64\"}]},{\"name\":\"recipientRand\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"r\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"vs\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"redeemBatch\",\"inputs\":[{\"name\":\"runs\",\"type\":\"bytes\",\"internalType\":\"bytes\"},{\"name\":\"minTotal\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"outputs\":[{\"name\":\"paid\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"releaseAllocation\",\"inputs\":[{\"name\":\"recipient\",\"type\":\"address\",\"internalType\":\"address\"}],\"outputs\":[{\"name\":\"released\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"thawAllocation\",\"inputs\":[{\"name\":\"recipient\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"amount\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"ticketDigest\",\"inputs\":[{\"name\":\"ticket\",\"type\":\"tuple\",\"internalType\":\"structITicketEscrow.Ticket\",\"components\":[{\"name\":\"payer\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"lane\",\"type\":\"uint16\",\"internalType\":\"uint16\"},{\"name\":\"nonce\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"faceValue\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"winProb\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"expiry\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"recipientRandHash\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"salt\",\"type\":\"uint64\",\"internalType\":\"uint64\"}]}],\"outputs\":[{\"name\":\"\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"withdraw\",\"inputs\":[{\"name\":\"to\",\"type\":\"address\",\"internalType\":\"addresspayable\"},{\"name\":\"amount\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"event\",\"name\":\"Allocated\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"amount\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"AllocationReleased\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"amount\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"AllocationThawReduced\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"thawing\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"AllocationThawStarted\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"thawing\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"},{\"name\":\"thawEnd\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"Deposited\",\"inputs\":[{\"name\":\"funder\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"account\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"amount\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"EIP712DomainChanged\",\"inputs\":[],\"anonymous\":false},{\"type\":\"event\",\"name\":\"Redeemed\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"lane\",\"type\":\"uint16\",\"indexed\":false,\"internalType\":\"uint16\"},{\"name\":\"lastNonce\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"},{\"name\":\"tickets\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"},{\"name\":\"amount\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"RunStopped\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"lane\",\"type\":\"uint16\",\"indexed\":false,\"internalType\":\"uint16\"},{\"name\":\"nonce\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"},{\"name\":\"reason\",\"type\":\"uint8\",\"indexed\":false,\"internalType\":\"enumITicketEscrow.Refusal\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"Withdrawn\",\"inputs\":[{\"name\":\"account\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"to\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"amount\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"error\",\"name\":\"DepositCapExceeded\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"InsufficientAllocation\",\"inputs\":[{\"name\":\"allocation\",\"type\":\"uint256\",\"internalType\":\"uint256\"},{\"name\":\"amount\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"InsufficientBalance\",\"inputs\":[{\"name\":\"balance\",\"type\":\"uint256\",\"internalType\":\"uint256\"},{\"name\":\"amount\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"InvalidShortString\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"MalformedRuns\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"NotRecipient\",\"inputs\":[{\"name\":\"caller\",\"type\":\"address\",\"internalType\":\"address\"}]},{\"type\":\"error\",\"name\":\"NothingThawing\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"PaidBelowMinimum\",\"inputs\":[{\"name\":\"paid\",\"type\":\"uint256\",\"internalType\":\"uint256\"},{\"name\":\"minTotal\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"SelfAllocation\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"StillThawing\",\"inputs\":[{\"name\":\"thawEnd\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"StringTooLong\",\"inputs\":[{\"name\":\"str\",\"type\":\"string\",\"internalType\":\"string\"}]},{\"type\":\"error\",\"name\":\"ThawPeriodOutOfRange\",\"inputs\":[{\"name\":\"thawPeriod\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"TicketRefused\",\"inputs\":[{\"name\":\"reason\",\"type\":\"uint8\",\"internalType\":\"enumITicketEscrow.Refusal\"}]},{\"type\":\"error\",\"name\":\"WithdrawalFailed\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"ZeroAddress\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"ZeroAmount\",\"inputs\":[]}]",
	ID:  "TicketEscrow",
	Bin: "0x61018080604052346101ae57602081612861803803809161002082856101b2565b8339810103126101ae575164ffffffffff81168082036101ae576040516100486040826101b2565b6013815260208101907f4b696e6f7261205469636b6574457363726f77000000000000000000000000008252604051916100836040846101b2565b600183526020830191603160f81b835261009c816101e9565b610120526100a9846101e9565b61014052519020918260e05251902080610100524660a0526040519060208201927f8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f8452604083015260608201524660808201523060a082015260a0815261011260c0826101b2565b5190206080523060c052801580156101a2575b61019057506101605260405161260c908161025582396080518161177b015260a05181611838015260c0518161174c015260e051816117ca015261010051816117f001526101205181610991015261014051816109ba0152610160518181816106e40152610c9e0152f35b63062ed76160e11b5f5260045260245ffd5b506276a7008111610125565b5f80fd5b601f909101601f19168101906001600160401b038211908210176101d557604052565b634e487b7160e01b5f52604160045260245ffd5b601f815111610214576020815191015160208210610205571790565b5f198260200360031b1b161790565b604460209160405192839163305a27a960e01b83528160048401528051918291826024860152018484015e5f828201840152601f01601f19168101030190fdfe60a06040526004361015610011575f80fd5b5f3560e01c8063260358fe1461152d5780633644e515146114f55780635cf112c114610f97578063665a055e14610f3957806373b9aa9114610ea457806374d8950d14610bc357806375434a7514610b6b57806382eefb4b14610a8d57806384b0196e1461095b5780638bf6dd0a146108da5780638f47d895146107085780639c8a63af146106a9578063aa67c91914610652578063b78b52df1461053a578063bb30d796146102b2578063d0e30db01461027e5763f3fef3a3146100d4575f80fd5b3461027a5760407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027a5760043573ffffffffffffffffffffffffffffffffffffffff811680910361027a5760243590801561025257811561022a575f80808481946101448233611d2b565b806040518381527fd1c19fbcd4551a5edfb66d43d2e337c04837afda3482b42bdf569a8fccdae5fb60203392a35af13d15610225573d67ffffffffffffffff81116101f857604051906101bf601f82017fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe016602001836116ca565b81525f60203d92013e5b156101d057005b7f27fcd9d1000000000000000000000000000000000000000000000000000000005f5260045ffd5b7f4e487b71000000000000000000000000000000000000000000000000000000005f52604160045260245ffd5b6101c9565b7f1f2a2005000000000000000000000000000000000000000000000000000000005f5260045ffd5b7fd92e233d000000000000000000000000000000000000000000000000000000005f5260045ffd5b5f80fd5b5f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027a576102b033611c9a565b005b3461027a5760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027a576102e96115df565b335f52600360205260405f2073ffffffffffffffffffffffffffffffffffffffff82165f5260205260405f206040519061032282611691565b546bffffffffffffffffffffffff811682526bffffffffffffffffffffffff8160601c1690602083019180835264ffffffffff604085019260c01c168252156105125764ffffffffff9051168042106104e75760206bffffffffffffffffffffffff856103978683875116938491511661170b565b6bffffffffffffffffffffffff604051916103b183611691565b1681528381015f815260408201905f8252335f526003865260405f2073ffffffffffffffffffffffffffffffffffffffff85165f5286526bffffffffffffffffffffffff8060405f20945116167fffffffffffffffffffffffffffffffffffffffff00000000000000000000000084541617835551907fffffff0000000000000000000000000000000000ffffffffffffffffffffffff77ffffffffffffffffffffffff0000000000000000000000007cffffffffff0000000000000000000000000000000000000000000000008554935160c01b169360601b1691161717905561049c8233611b80565b73ffffffffffffffffffffffffffffffffffffffff6040519183835216907fb65d9cb5a09a7a1726fb95c11eb88420d3eb442b2d5eb22ef3a8535c504411ac843392a3604051908152f35b7f686e00f3000000000000000000000000000000000000000000000000000000005f5260045260245ffd5b7faa038c7c000000000000000000000000000000000000000000000000000000005f5260045ffd5b3461027a5760407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027a576105716115df565b73ffffffffffffffffffffffffffffffffffffffff1660243581156102525733821461062a57801561022a576105a78133611d2b565b335f52600360205260405f20825f5260205260405f206bffffffffffffffffffffffff80808416818454160116167fffffffffffffffffffffffffffffffffffffffff0000000000000000000000008254161790556040519081527fbe8864d3a5ed38c5e26974fcc84f97fd03d55f6b774d46b844205d5f7b6b5c0b60203392a3005b7f9ef1af9e000000000000000000000000000000000000000000000000000000005f5260045ffd5b60207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027a576106846115df565b73ffffffffffffffffffffffffffffffffffffffff811615610252576102b090611c9a565b3461027a575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027a57602060405164ffffffffff7f0000000000000000000000000000000000000000000000000000000000000000168152f35b3461027a5760407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027a5760043567ffffffffffffffff811161027a573660238201121561027a5780600401359067ffffffffffffffff821161027a57366024838301011161027a57602480359291015f9180610787611735565b905b6107e957505050801580156107e0575b6107b257806107aa60209233611b80565b604051908152f35b7f6bb0794b000000000000000000000000000000000000000000000000000000005f5260045260245260445ffd5b50818110610799565b9091926055831061087c578260551161027a576058605385013560f01c818102918115918304148117156108ad578160550190816055116108ad5780156108a4575b61087c5784811161027a578161086f7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffab94610869876055958b611c85565b90611668565b9601019303019081610789565b7f2b500abf000000000000000000000000000000000000000000000000000000005f5260045ffd5b5080851061082b565b7f4e487b71000000000000000000000000000000000000000000000000000000005f52601160045260245ffd5b3461027a576101207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027a5760206107aa61014061091a6118a8565b20610923611735565b604291604051917f19010000000000000000000000000000000000000000000000000000000000008352600283015260228201522090565b3461027a575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027a57610a316109b57f0000000000000000000000000000000000000000000000000000000000000000611dee565b6109de7f0000000000000000000000000000000000000000000000000000000000000000611dee565b6020610a3f604051926109f183856116ca565b5f84525f3681376040519586957f0f00000000000000000000000000000000000000000000000000000000000000875260e08588015260e0870190611625565b908582036040870152611625565b4660608501523060808501525f60a085015283810360c08501528180845192838152019301915f5b828110610a7657505050500390f35b835185528695509381019392810192600101610a67565b3461027a5760407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027a57610ac46115df565b73ffffffffffffffffffffffffffffffffffffffff610ae1611602565b91165f52600360205273ffffffffffffffffffffffffffffffffffffffff60405f2091165f52602052606060405f206040805191610b1e83611691565b546bffffffffffffffffffffffff81169283815264ffffffffff6bffffffffffffffffffffffff83871c169283602084015260c01c16928391015260405192835260208301526040820152f35b3461027a575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027a5760206040517f6a888c25a439f9cfa8f3ecb9c4c091183b9f3076d2b84b3a710c159ddbfaad808152f35b3461027a5760407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027a57610bfa6115df565b60243590335f52600360205260405f2073ffffffffffffffffffffffffffffffffffffffff82165f5260205260405f209160405192610c3884611691565b54916bffffffffffffffffffffffff83169182855260208501926bffffffffffffffffffffffff8560601c16845264ffffffffff604087019560c01c168552808211610e76575082516bffffffffffffffffffffffff16811115610e105764ffffffffff7f00000000000000000000000000000000000000000000000000000000000000001664ffffffffff4216019064ffffffffff82116108ad5764ffffffffff6bffffffffffffffffffffffff921680865260405190828252602082015273ffffffffffffffffffffffffffffffffffffffff8416907f309f64cfdb8ec37fd591ec203ef6c2ca056697886ef15418bc3bc251e2fd628460403392a35b168252335f52600360205273ffffffffffffffffffffffffffffffffffffffff60405f2091165f526020526bffffffffffffffffffffffff8060405f20945116167fffffffffffffffffffffffffffffffffffffffff00000000000000000000000084541617835551907fffffff0000000000000000000000000000000000ffffffffffffffffffffffff77ffffffffffffffffffffffff0000000000000000000000007cffffffffff0000000000000000000000000000000000000000000000008554935160c01b169360601b169116171790555f80f35b806bffffffffffffffffffffffff9115610e6e575b60405181815273ffffffffffffffffffffffffffffffffffffffff8416907f7b483c6cbf721ef07a0d6f633b2227f2b9db482ca82ebe58fc22aed477a5038260203392a3610d37565b5f8552610e25565b7faf4956d0000000000000000000000000000000000000000000000000000000005f5260045260245260445ffd5b3461027a5760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027a5773ffffffffffffffffffffffffffffffffffffffff610ef06115df565b165f5260026020526040805f206020825191610f0b83611675565b549160ff6bffffffffffffffffffffffff84169384835260601c161515918291015282519182526020820152f35b3461027a5760607ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027a5760443567ffffffffffffffff8116810361027a57610f8d602091602435600435611c52565b6040519015158152f35b3461027a577ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601610180811261027a576101201361027a576101243560243573ffffffffffffffffffffffffffffffffffffffff81169081810361027a575033036114c957805f5260205f2060e4350361149c576110146118a8565b602081019073ffffffffffffffffffffffffffffffffffffffff8251165f5260026020526bffffffffffffffffffffffff60405f2054168060a08301946bffffffffffffffffffffffff8651168210611439575b611071846119df565b91600a8310156113855782156113b2575b5050600a811015611385578061135a576102b06bffffffffffffffffffffffff8686868661ffff73ffffffffffffffffffffffffffffffffffffffff67ffffffffffffffff60808501511694878088511694838351165f52600460205260405f208433165f52602052606060405f209701968580895116165f5260205260405f20887fffffffffffffffffffffffffffffffffffffffffffffffff000000000000000082541617905585818111155f146111c55761113f91611b73565b16828251165f5260026020528860405f2091167fffffffffffffffffffffffffffffffffffffffff0000000000000000000000008254161790555b51169251169260405193845260208401526001604084015260608301527f5d165c6aaed16edc1750217aeabf0f837648a2c7401e0917d8b3d2dab98cbc0360803393a3511633611b80565b50806111d691611320575b86611b73565b16828251165f52600360205260405f208333165f5260205260405f20906040519161120083611691565b54908a8216908184528b611231826020870194838760601c16865264ffffffffff604089019760c01c16875261170b565b16845281518c1681811115611317578c9161124b9161170b565b168082521561130f575b848451165f52600360205260405f208533165f526020528a8060405f20945116167fffffffffffffffffffffffffffffffffffffffff00000000000000000000000084541617835551907fffffff0000000000000000000000000000000000ffffffffffffffffffffffff77ffffffffffffffffffffffff0000000000000000000000007cffffffffff0000000000000000000000000000000000000000000000008554935160c01b169360601b1691161717905561117a565b5f8252611255565b50508a5f61124b565b848451165f52600260205260405f207fffffffffffffffffffffffffffffffffffffffff00000000000000000000000081541690556111d0565b7fcd67e6b2000000000000000000000000000000000000000000000000000000005f5260045260245ffd5b7f4e487b71000000000000000000000000000000000000000000000000000000005f52602160045260245ffd5b611432925073ffffffffffffffffffffffffffffffffffffffff8651165f52600460205260405f2073ffffffffffffffffffffffffffffffffffffffff33165f5260205260405f2061ffff80606088015116165f5260205267ffffffffffffffff60405f205416611421611735565b926101643592610144359288611a3e565b8580611082565b906114969073ffffffffffffffffffffffffffffffffffffffff8651165f52600360205260405f2073ffffffffffffffffffffffffffffffffffffffff33165f526020526bffffffffffffffffffffffff60405f20541690611668565b90611068565b7fcd67e6b2000000000000000000000000000000000000000000000000000000005f52600560045260245ffd5b7f2e569cea000000000000000000000000000000000000000000000000000000005f523360045260245ffd5b3461027a575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027a5760206107aa611735565b3461027a5760607ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027a576115646115df565b61156c611602565b6044359161ffff8316830361027a5773ffffffffffffffffffffffffffffffffffffffff165f52600460205273ffffffffffffffffffffffffffffffffffffffff60405f2091165f5260205261ffff60405f2091165f52602052602067ffffffffffffffff60405f205416604051908152f35b6004359073ffffffffffffffffffffffffffffffffffffffff8216820361027a57565b6024359073ffffffffffffffffffffffffffffffffffffffff8216820361027a57565b907fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0601f602080948051918291828752018686015e5f8582860101520116010190565b919082018092116108ad57565b6040810190811067ffffffffffffffff8211176101f857604052565b6060810190811067ffffffffffffffff8211176101f857604052565b610140810190811067ffffffffffffffff8211176101f857604052565b90601f7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0910116810190811067ffffffffffffffff8211176101f857604052565b906bffffffffffffffffffffffff809116911603906bffffffffffffffffffffffff82116108ad57565b73ffffffffffffffffffffffffffffffffffffffff7f000000000000000000000000000000000000000000000000000000000000000016301480611835575b1561179d577f000000000000000000000000000000000000000000000000000000000000000090565b60405160208101907f8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f82527f000000000000000000000000000000000000000000000000000000000000000060408201527f000000000000000000000000000000000000000000000000000000000000000060608201524660808201523060a082015260a0815261182f60c0826116ca565b51902090565b507f00000000000000000000000000000000000000000000000000000000000000004614611774565b6040519061186b826116ad565b5f610120838281528260208201528260408201528260608201528260808201528260a08201528260c08201528260e0820152826101008201520152565b6118b061185e565b5060043573ffffffffffffffffffffffffffffffffffffffff81169081810361027a575060243573ffffffffffffffffffffffffffffffffffffffff81169081810361027a575060443561ffff811680910361027a5760643567ffffffffffffffff81169081810361027a57506084356bffffffffffffffffffffffff811680910361027a5760a4359167ffffffffffffffff83169283810361027a575060c4359364ffffffffff851680950361027a57610104359567ffffffffffffffff87169687810361027a575060405197611987896116ad565b7f6a888c25a439f9cfa8f3ecb9c4c091183b9f3076d2b84b3a710c159ddbfaad808952602089015260408801526060870152608086015260a085015260c084015260e083015260e43561010083015261012082015290565b73ffffffffffffffffffffffffffffffffffffffff6020820151163314611a38576bffffffffffffffffffffffff60a08201511615611a325760e0015164ffffffffff164211611a2d575f90565b600390565b50600290565b50600190565b9591909493929467ffffffffffffffff6080880151161115611b68576bffffffffffffffffffffffff60a08701511611611b5e57611ab7611ace91610140872090604291604051917f19010000000000000000000000000000000000000000000000000000000000008352600283015260228201522090565b938467ffffffffffffffff60c08801511691611c52565b15611b5557611b099260ff601b7f7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff851694821c011690611e45565b506004811015611385571591821592611b2c575b5050611b27575f90565b600790565b6020015173ffffffffffffffffffffffffffffffffffffffff9182169116141590505f80611b1d565b50505050600690565b5050505050600890565b505050505050600490565b919082039182116108ad57565b73ffffffffffffffffffffffffffffffffffffffff16805f5260026020526bffffffffffffffffffffffff8060405f2054168160405194611bc086611675565b16011682526020820190600182525f5260026020526bffffffffffffffffffffffff8060405f20935116167fffffffffffffffffffffffffffffffffffffffff0000000000000000000000008354161782555115157fffffffffffffffffffffffffffffffffffffff00ffffffffffffffffffffffff6cff00000000000000000000000083549260601b169116179055565b5f5260205267ffffffffffffffff8060405f20169116809110908115611c76575090565b67ffffffffffffffff91501490565b90611c9492915f608052611edf565b60805190565b341561022a576bffffffffffffffffffffffff4711611d0357611cbd3482611b80565b73ffffffffffffffffffffffffffffffffffffffff6040519134835216907f8752a472e571a816aea92eec8dae9baf628e840f4929fbcc2d155e6233ff68a760203392a3565b7f935d630c000000000000000000000000000000000000000000000000000000005f5260045ffd5b73ffffffffffffffffffffffffffffffffffffffff1690815f5260026020526bffffffffffffffffffffffff60405f205416808211611dc0576bffffffffffffffffffffffff91611d7b91611b73565b16905f5260026020526bffffffffffffffffffffffff60405f2091167fffffffffffffffffffffffffffffffffffffffff000000000000000000000000825416179055565b7fcf479181000000000000000000000000000000000000000000000000000000005f5260045260245260445ffd5b60ff811690601f8211611e1d5760405191611e0a6040846116ca565b6020808452838101919036833783525290565b7fb3512b0c000000000000000000000000000000000000000000000000000000005f5260045ffd5b91907f7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a08411611ed4579160209360809260ff5f9560405194855216868401526040830152606082015282805260015afa15611ec9575f5173ffffffffffffffffffffffffffffffffffffffff811615611ebf57905f905f90565b505f906001905f90565b6040513d5f823e3d90fd5b5050505f9160039190565b9291925f608052611eee61185e565b937f6a888c25a439f9cfa8f3ecb9c4c091183b9f3076d2b84b3a710c159ddbfaad8085528260141161027a576020850190823560601c82523360408701528360161161027a57601483013560f01c60608701908152956022851061027a5760168401356bffffffffffffffffffffffff60a083019160a01c1681528560271161027a57602285013560d81c60e08301528560471161027a57602785013594855f5260205f2061010084015273ffffffffffffffffffffffffffffffffffffffff8551165f5260026020526bffffffffffffffffffffffff60405f2054169673ffffffffffffffffffffffffffffffffffffffff8651165f52600460205260405f2073ffffffffffffffffffffffffffffffffffffffff33165f5260205260405f2061ffff808c5116165f5260205267ffffffffffffffff60405f205416945f97612037866119df565b948a926bffffffffffffffffffffffff8251168560551161027a57605387013560f01c81810291801590830490911417156108ad578c106125a9575b9692909160559d9b9c9d92608085019861012086015b878610612465575b50505050505050608051156124565760531161027a5760476bffffffffffffffffffffffff91013560a01c16608051106123ce57505061ffff916bffffffffffffffffffffffff67ffffffffffffffff73ffffffffffffffffffffffffffffffffffffffff931696838351165f52600460205260405f208433165f5260205260405f208580895116165f5260205260405f20887fffffffffffffffffffffffffffffffffffffffffffffffff00000000000000008254161790558060805111155f146121f05760805161216391611b73565b16828251165f5260026020526bffffffffffffffffffffffff60405f2091167fffffffffffffffffffffffffffffffffffffffff0000000000000000000000008254161790555b5116925116926040519384526020840152604083015260805160608301527f5d165c6aaed16edc1750217aeabf0f837648a2c7401e0917d8b3d2dab98cbc0360803393a3565b8061220291612394575b608051611b73565b16828251165f52600360205260405f208333165f5260205260405f20906040519161222c83611691565b54906bffffffffffffffffffffffff8216908184526bffffffffffffffffffffffff612275826020870194838760601c16865264ffffffffff604089019760c01c16875261170b565b16845281516bffffffffffffffffffffffff168181111561237f576bffffffffffffffffffffffff916122a79161170b565b1680825215612377575b848451165f52600360205260405f208533165f526020526bffffffffffffffffffffffff8060405f20945116167fffffffffffffffffffffffffffffffffffffffff00000000000000000000000084541617835551907fffffff0000000000000000000000000000000000ffffffffffffffffffffffff77ffffffffffffffffffffffff0000000000000000000000007cffffffffff0000000000000000000000000000000000000000000000008554935160c01b169360601b169116171790556121aa565b5f82526122b1565b50506bffffffffffffffffffffffff5f6122a7565b848451165f52600260205260405f207fffffffffffffffffffffffffffffffffffffffff00000000000000000000000081541690556121fa565b929350945050600a81101561138557156123ec575b5050505f608052565b61ffff73ffffffffffffffffffffffffffffffffffffffff67ffffffffffffffff9251169251169251166040519283526020830152600960408301527fa0fbfe5eeab2f3b6de06cc6ca25ea351f832190b0e667965a9567e14a1eb616960603393a35f80806123e3565b5050505050505050505f608052565b9193959c9092949a9d9f9e9d8d8c8a019081359060c067ffffffffffffffff8360401c1691015267ffffffffffffffff8160801c16855260c01c8c52600a8b1015611385578e8b15612585575b5050600a8a1015611385578961250a57506001906bffffffffffffffffffffffff8551168097039660805101608052019b67ffffffffffffffff8a51169a605881018091116108ad579492909593919f9d9e9f612089565b9a509b50505050505073ffffffffffffffffffffffffffffffffffffffff869a98999a511661ffff8951169067ffffffffffffffff86511660405192835260208301528460408301527fa0fbfe5eeab2f3b6de06cc6ca25ea351f832190b0e667965a9567e14a1eb616960603393a35f808080808080612091565b829b50908591888a6125a1956018603886013595013593611a3e565b985f8e6124b2565b925073ffffffffffffffffffffffffffffffffffffffff8951165f52600360205260405f2073ffffffffffffffffffffffffffffffffffffffff33165f526020526126066bffffffffffffffffffffffff60405f2054168c611668565b9261207356",
}

// TicketEscrow is an auto generated Go binding around an Ethereum contract.
type TicketEscrow struct {
	abi abi.ABI
}

// GetABI returns the ABI associated with this contract binding.
func (c *TicketEscrow) GetABI() abi.ABI {
	return c.abi
}

// NewTicketEscrow creates a new instance of TicketEscrow.
func NewTicketEscrow() *TicketEscrow {
	parsed, err := TicketEscrowMetaData.ParseABI()
	if err != nil {
		panic(errors.New("invalid ABI: " + err.Error()))
	}
	return &TicketEscrow{abi: *parsed}
}

// Instance creates a wrapper for a deployed contract instance at the given address.
// Use this to create the instance object passed to abigen v2 library functions Call, Transact, etc.
func (c *TicketEscrow) Instance(backend bind.ContractBackend, addr common.Address) *bind.BoundContract {
	return bind.NewBoundContract(addr, c.abi, backend, backend, backend)
}

// PackConstructor is the Go binding used to pack the parameters required for
// contract deployment.
//
// Solidity: constructor(uint40 thawPeriod) returns()
func (ticketEscrow *TicketEscrow) PackConstructor(thawPeriod *big.Int) []byte {
	enc, err := ticketEscrow.abi.Pack("", thawPeriod)
	if err != nil {
		panic(err)
	}
	return enc
}

// PackDOMAINSEPARATOR is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x3644e515.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function DOMAIN_SEPARATOR() view returns(bytes32)
func (ticketEscrow *TicketEscrow) PackDOMAINSEPARATOR() []byte {
	enc, err := ticketEscrow.abi.Pack("DOMAIN_SEPARATOR")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackDOMAINSEPARATOR is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x3644e515.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function DOMAIN_SEPARATOR() view returns(bytes32)
func (ticketEscrow *TicketEscrow) TryPackDOMAINSEPARATOR() ([]byte, error) {
	return ticketEscrow.abi.Pack("DOMAIN_SEPARATOR")
}

// UnpackDOMAINSEPARATOR is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x3644e515.
//
// Solidity: function DOMAIN_SEPARATOR() view returns(bytes32)
func (ticketEscrow *TicketEscrow) UnpackDOMAINSEPARATOR(data []byte) ([32]byte, error) {
	out, err := ticketEscrow.abi.Unpack("DOMAIN_SEPARATOR", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackTHAWPERIOD is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x9c8a63af.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function THAW_PERIOD() view returns(uint40)
func (ticketEscrow *TicketEscrow) PackTHAWPERIOD() []byte {
	enc, err := ticketEscrow.abi.Pack("THAW_PERIOD")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackTHAWPERIOD is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x9c8a63af.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function THAW_PERIOD() view returns(uint40)
func (ticketEscrow *TicketEscrow) TryPackTHAWPERIOD() ([]byte, error) {
	return ticketEscrow.abi.Pack("THAW_PERIOD")
}

// UnpackTHAWPERIOD is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x9c8a63af.
//
// Solidity: function THAW_PERIOD() view returns(uint40)
func (ticketEscrow *TicketEscrow) UnpackTHAWPERIOD(data []byte) (*big.Int, error) {
	out, err := ticketEscrow.abi.Unpack("THAW_PERIOD", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackTICKETTYPEHASH is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x75434a75.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function TICKET_TYPEHASH() view returns(bytes32)
func (ticketEscrow *TicketEscrow) PackTICKETTYPEHASH() []byte {
	enc, err := ticketEscrow.abi.Pack("TICKET_TYPEHASH")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackTICKETTYPEHASH is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x75434a75.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function TICKET_TYPEHASH() view returns(bytes32)
func (ticketEscrow *TicketEscrow) TryPackTICKETTYPEHASH() ([]byte, error) {
	return ticketEscrow.abi.Pack("TICKET_TYPEHASH")
}

// UnpackTICKETTYPEHASH is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x75434a75.
//
// Solidity: function TICKET_TYPEHASH() view returns(bytes32)
func (ticketEscrow *TicketEscrow) UnpackTICKETTYPEHASH(data []byte) ([32]byte, error) {
	out, err := ticketEscrow.abi.Unpack("TICKET_TYPEHASH", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackAccount is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x73b9aa91.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function account(address owner) view returns(uint96 balance, bool opened)
func (ticketEscrow *TicketEscrow) PackAccount(owner common.Address) []byte {
	enc, err := ticketEscrow.abi.Pack("account", owner)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackAccount is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x73b9aa91.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function account(address owner) view returns(uint96 balance, bool opened)
func (ticketEscrow *TicketEscrow) TryPackAccount(owner common.Address) ([]byte, error) {
	return ticketEscrow.abi.Pack("account", owner)
}

// AccountOutput serves as a container for the return parameters of contract
// method Account.
type AccountOutput struct {
	Balance *big.Int
	Opened  bool
}

// UnpackAccount is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x73b9aa91.
//
// Solidity: function account(address owner) view returns(uint96 balance, bool opened)
func (ticketEscrow *TicketEscrow) UnpackAccount(data []byte) (AccountOutput, error) {
	out, err := ticketEscrow.abi.Unpack("account", data)
	outstruct := new(AccountOutput)
	if err != nil {
		return *outstruct, err
	}
	outstruct.Balance = abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	outstruct.Opened = *abi.ConvertType(out[1], new(bool)).(*bool)
	return *outstruct, nil
}

// PackAllocate is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb78b52df.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function allocate(address recipient, uint256 amount) returns()
func (ticketEscrow *TicketEscrow) PackAllocate(recipient common.Address, amount *big.Int) []byte {
	enc, err := ticketEscrow.abi.Pack("allocate", recipient, amount)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackAllocate is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb78b52df.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function allocate(address recipient, uint256 amount) returns()
func (ticketEscrow *TicketEscrow) TryPackAllocate(recipient common.Address, amount *big.Int) ([]byte, error) {
	return ticketEscrow.abi.Pack("allocate", recipient, amount)
}

// PackAllocation is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x82eefb4b.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function allocation(address payer, address recipient) view returns(uint96 amount, uint96 thawing, uint40 thawEnd)
func (ticketEscrow *TicketEscrow) PackAllocation(payer common.Address, recipient common.Address) []byte {
	enc, err := ticketEscrow.abi.Pack("allocation", payer, recipient)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackAllocation is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x82eefb4b.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function allocation(address payer, address recipient) view returns(uint96 amount, uint96 thawing, uint40 thawEnd)
func (ticketEscrow *TicketEscrow) TryPackAllocation(payer common.Address, recipient common.Address) ([]byte, error) {
	return ticketEscrow.abi.Pack("allocation", payer, recipient)
}

// AllocationOutput serves as a container for the return parameters of contract
// method Allocation.
type AllocationOutput struct {
	Amount  *big.Int
	Thawing *big.Int
	ThawEnd *big.Int
}

// UnpackAllocation is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x82eefb4b.
//
// Solidity: function allocation(address payer, address recipient) view returns(uint96 amount, uint96 thawing, uint40 thawEnd)
func (ticketEscrow *TicketEscrow) UnpackAllocation(data []byte) (AllocationOutput, error) {
	out, err := ticketEscrow.abi.Unpack("allocation", data)
	outstruct := new(AllocationOutput)
	if err != nil {
		return *outstruct, err
	}
	outstruct.Amount = abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	outstruct.Thawing = abi.ConvertType(out[1], new(big.Int)).(*big.Int)
	outstruct.ThawEnd = abi.ConvertType(out[2], new(big.Int)).(*big.Int)
	return *outstruct, nil
}

// PackDeposit is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd0e30db0.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function deposit() payable returns()
func (ticketEscrow *TicketEscrow) PackDeposit() []byte {
	enc, err := ticketEscrow.abi.Pack("deposit")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackDeposit is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd0e30db0.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function deposit() payable returns()
func (ticketEscrow *TicketEscrow) TryPackDeposit() ([]byte, error) {
	return ticketEscrow.abi.Pack("deposit")
}

// PackDepositFor is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xaa67c919.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function depositFor(address owner) payable returns()
func (ticketEscrow *TicketEscrow) PackDepositFor(owner common.Address) []byte {
	enc, err := ticketEscrow.abi.Pack("depositFor", owner)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackDepositFor is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xaa67c919.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function depositFor(address owner) payable returns()
func (ticketEscrow *TicketEscrow) TryPackDepositFor(owner common.Address) ([]byte, error) {
	return ticketEscrow.abi.Pack("depositFor", owner)
}

// PackEip712Domain is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x84b0196e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function eip712Domain() view returns(bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)
func (ticketEscrow *TicketEscrow) PackEip712Domain() []byte {
	enc, err := ticketEscrow.abi.Pack("eip712Domain")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackEip712Domain is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x84b0196e.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function eip712Domain() view returns(bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)
func (ticketEscrow *TicketEscrow) TryPackEip712Domain() ([]byte, error) {
	return ticketEscrow.abi.Pack("eip712Domain")
}

// Eip712DomainOutput serves as a container for the return parameters of contract
// method Eip712Domain.
type Eip712DomainOutput struct {
	Fields            [1]byte
	Name              string
	Version           string
	ChainId           *big.Int
	VerifyingContract common.Address
	Salt              [32]byte
	Extensions        []*big.Int
}

// UnpackEip712Domain is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x84b0196e.
//
// Solidity: function eip712Domain() view returns(bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)
func (ticketEscrow *TicketEscrow) UnpackEip712Domain(data []byte) (Eip712DomainOutput, error) {
	out, err := ticketEscrow.abi.Unpack("eip712Domain", data)
	outstruct := new(Eip712DomainOutput)
	if err != nil {
		return *outstruct, err
	}
	outstruct.Fields = *abi.ConvertType(out[0], new([1]byte)).(*[1]byte)
	outstruct.Name = *abi.ConvertType(out[1], new(string)).(*string)
	outstruct.Version = *abi.ConvertType(out[2], new(string)).(*string)
	outstruct.ChainId = abi.ConvertType(out[3], new(big.Int)).(*big.Int)
	outstruct.VerifyingContract = *abi.ConvertType(out[4], new(common.Address)).(*common.Address)
	outstruct.Salt = *abi.ConvertType(out[5], new([32]byte)).(*[32]byte)
	outstruct.Extensions = *abi.ConvertType(out[6], new([]*big.Int)).(*[]*big.Int)
	return *outstruct, nil
}

// PackIsWinning is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x665a055e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function isWinning(bytes32 recipientRand, bytes32 digest, uint64 winProb) pure returns(bool)
func (ticketEscrow *TicketEscrow) PackIsWinning(recipientRand [32]byte, digest [32]byte, winProb uint64) []byte {
	enc, err := ticketEscrow.abi.Pack("isWinning", recipientRand, digest, winProb)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackIsWinning is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x665a055e.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function isWinning(bytes32 recipientRand, bytes32 digest, uint64 winProb) pure returns(bool)
func (ticketEscrow *TicketEscrow) TryPackIsWinning(recipientRand [32]byte, digest [32]byte, winProb uint64) ([]byte, error) {
	return ticketEscrow.abi.Pack("isWinning", recipientRand, digest, winProb)
}

// UnpackIsWinning is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x665a055e.
//
// Solidity: function isWinning(bytes32 recipientRand, bytes32 digest, uint64 winProb) pure returns(bool)
func (ticketEscrow *TicketEscrow) UnpackIsWinning(data []byte) (bool, error) {
	out, err := ticketEscrow.abi.Unpack("isWinning", data)
	if err != nil {
		return *new(bool), err
	}
	out0 := *abi.ConvertType(out[0], new(bool)).(*bool)
	return out0, nil
}

// PackLaneWatermark is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x260358fe.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function laneWatermark(address payer, address recipient, uint16 lane) view returns(uint64)
func (ticketEscrow *TicketEscrow) PackLaneWatermark(payer common.Address, recipient common.Address, lane uint16) []byte {
	enc, err := ticketEscrow.abi.Pack("laneWatermark", payer, recipient, lane)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackLaneWatermark is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x260358fe.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function laneWatermark(address payer, address recipient, uint16 lane) view returns(uint64)
func (ticketEscrow *TicketEscrow) TryPackLaneWatermark(payer common.Address, recipient common.Address, lane uint16) ([]byte, error) {
	return ticketEscrow.abi.Pack("laneWatermark", payer, recipient, lane)
}

// UnpackLaneWatermark is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x260358fe.
//
// Solidity: function laneWatermark(address payer, address recipient, uint16 lane) view returns(uint64)
func (ticketEscrow *TicketEscrow) UnpackLaneWatermark(data []byte) (uint64, error) {
	out, err := ticketEscrow.abi.Unpack("laneWatermark", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackRedeem is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5cf112c1.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function redeem((address,address,uint16,uint64,uint96,uint64,uint40,bytes32,uint64) ticket, bytes32 recipientRand, bytes32 r, bytes32 vs) returns()
func (ticketEscrow *TicketEscrow) PackRedeem(ticket ITicketEscrowTicket, recipientRand [32]byte, r [32]byte, vs [32]byte) []byte {
	enc, err := ticketEscrow.abi.Pack("redeem", ticket, recipientRand, r, vs)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRedeem is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5cf112c1.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function redeem((address,address,uint16,uint64,uint96,uint64,uint40,bytes32,uint64) ticket, bytes32 recipientRand, bytes32 r, bytes32 vs) returns()
func (ticketEscrow *TicketEscrow) TryPackRedeem(ticket ITicketEscrowTicket, recipientRand [32]byte, r [32]byte, vs [32]byte) ([]byte, error) {
	return ticketEscrow.abi.Pack("redeem", ticket, recipientRand, r, vs)
}

// PackRedeemBatch is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8f47d895.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function redeemBatch(bytes runs, uint256 minTotal) returns(uint256 paid)
func (ticketEscrow *TicketEscrow) PackRedeemBatch(runs []byte, minTotal *big.Int) []byte {
	enc, err := ticketEscrow.abi.Pack("redeemBatch", runs, minTotal)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRedeemBatch is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8f47d895.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function redeemBatch(bytes runs, uint256 minTotal) returns(uint256 paid)
func (ticketEscrow *TicketEscrow) TryPackRedeemBatch(runs []byte, minTotal *big.Int) ([]byte, error) {
	return ticketEscrow.abi.Pack("redeemBatch", runs, minTotal)
}

// UnpackRedeemBatch is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x8f47d895.
//
// Solidity: function redeemBatch(bytes runs, uint256 minTotal) returns(uint256 paid)
func (ticketEscrow *TicketEscrow) UnpackRedeemBatch(data []byte) (*big.Int, error) {
	out, err := ticketEscrow.abi.Unpack("redeemBatch", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackReleaseAllocation is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xbb30d796.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function releaseAllocation(address recipient) returns(uint256 released)
func (ticketEscrow *TicketEscrow) PackReleaseAllocation(recipient common.Address) []byte {
	enc, err := ticketEscrow.abi.Pack("releaseAllocation", recipient)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackReleaseAllocation is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xbb30d796.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function releaseAllocation(address recipient) returns(uint256 released)
func (ticketEscrow *TicketEscrow) TryPackReleaseAllocation(recipient common.Address) ([]byte, error) {
	return ticketEscrow.abi.Pack("releaseAllocation", recipient)
}

// UnpackReleaseAllocation is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xbb30d796.
//
// Solidity: function releaseAllocation(address recipient) returns(uint256 released)
func (ticketEscrow *TicketEscrow) UnpackReleaseAllocation(data []byte) (*big.Int, error) {
	out, err := ticketEscrow.abi.Unpack("releaseAllocation", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackThawAllocation is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x74d8950d.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function thawAllocation(address recipient, uint256 amount) returns()
func (ticketEscrow *TicketEscrow) PackThawAllocation(recipient common.Address, amount *big.Int) []byte {
	enc, err := ticketEscrow.abi.Pack("thawAllocation", recipient, amount)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackThawAllocation is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x74d8950d.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function thawAllocation(address recipient, uint256 amount) returns()
func (ticketEscrow *TicketEscrow) TryPackThawAllocation(recipient common.Address, amount *big.Int) ([]byte, error) {
	return ticketEscrow.abi.Pack("thawAllocation", recipient, amount)
}

// PackTicketDigest is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8bf6dd0a.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function ticketDigest((address,address,uint16,uint64,uint96,uint64,uint40,bytes32,uint64) ticket) view returns(bytes32)
func (ticketEscrow *TicketEscrow) PackTicketDigest(ticket ITicketEscrowTicket) []byte {
	enc, err := ticketEscrow.abi.Pack("ticketDigest", ticket)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackTicketDigest is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8bf6dd0a.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function ticketDigest((address,address,uint16,uint64,uint96,uint64,uint40,bytes32,uint64) ticket) view returns(bytes32)
func (ticketEscrow *TicketEscrow) TryPackTicketDigest(ticket ITicketEscrowTicket) ([]byte, error) {
	return ticketEscrow.abi.Pack("ticketDigest", ticket)
}

// UnpackTicketDigest is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x8bf6dd0a.
//
// Solidity: function ticketDigest((address,address,uint16,uint64,uint96,uint64,uint40,bytes32,uint64) ticket) view returns(bytes32)
func (ticketEscrow *TicketEscrow) UnpackTicketDigest(data []byte) ([32]byte, error) {
	out, err := ticketEscrow.abi.Unpack("ticketDigest", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackWithdraw is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf3fef3a3.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function withdraw(address to, uint256 amount) returns()
func (ticketEscrow *TicketEscrow) PackWithdraw(to common.Address, amount *big.Int) []byte {
	enc, err := ticketEscrow.abi.Pack("withdraw", to, amount)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackWithdraw is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf3fef3a3.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function withdraw(address to, uint256 amount) returns()
func (ticketEscrow *TicketEscrow) TryPackWithdraw(to common.Address, amount *big.Int) ([]byte, error) {
	return ticketEscrow.abi.Pack("withdraw", to, amount)
}

// TicketEscrowAllocated represents a Allocated event raised by the TicketEscrow contract.
type TicketEscrowAllocated struct {
	Payer     common.Address
	Recipient common.Address
	Amount    *big.Int
	Raw       *types.Log // Blockchain specific contextual infos
}

const TicketEscrowAllocatedEventName = "Allocated"

// ContractEventName returns the user-defined event name.
func (TicketEscrowAllocated) ContractEventName() string {
	return TicketEscrowAllocatedEventName
}

// UnpackAllocatedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Allocated(address indexed payer, address indexed recipient, uint256 amount)
func (ticketEscrow *TicketEscrow) UnpackAllocatedEvent(log *types.Log) (*TicketEscrowAllocated, error) {
	event := "Allocated"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ticketEscrow.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TicketEscrowAllocated)
	if len(log.Data) > 0 {
		if err := ticketEscrow.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range ticketEscrow.abi.Events[event].Inputs {
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

// TicketEscrowAllocationReleased represents a AllocationReleased event raised by the TicketEscrow contract.
type TicketEscrowAllocationReleased struct {
	Payer     common.Address
	Recipient common.Address
	Amount    *big.Int
	Raw       *types.Log // Blockchain specific contextual infos
}

const TicketEscrowAllocationReleasedEventName = "AllocationReleased"

// ContractEventName returns the user-defined event name.
func (TicketEscrowAllocationReleased) ContractEventName() string {
	return TicketEscrowAllocationReleasedEventName
}

// UnpackAllocationReleasedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event AllocationReleased(address indexed payer, address indexed recipient, uint256 amount)
func (ticketEscrow *TicketEscrow) UnpackAllocationReleasedEvent(log *types.Log) (*TicketEscrowAllocationReleased, error) {
	event := "AllocationReleased"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ticketEscrow.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TicketEscrowAllocationReleased)
	if len(log.Data) > 0 {
		if err := ticketEscrow.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range ticketEscrow.abi.Events[event].Inputs {
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

// TicketEscrowAllocationThawReduced represents a AllocationThawReduced event raised by the TicketEscrow contract.
type TicketEscrowAllocationThawReduced struct {
	Payer     common.Address
	Recipient common.Address
	Thawing   *big.Int
	Raw       *types.Log // Blockchain specific contextual infos
}

const TicketEscrowAllocationThawReducedEventName = "AllocationThawReduced"

// ContractEventName returns the user-defined event name.
func (TicketEscrowAllocationThawReduced) ContractEventName() string {
	return TicketEscrowAllocationThawReducedEventName
}

// UnpackAllocationThawReducedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event AllocationThawReduced(address indexed payer, address indexed recipient, uint256 thawing)
func (ticketEscrow *TicketEscrow) UnpackAllocationThawReducedEvent(log *types.Log) (*TicketEscrowAllocationThawReduced, error) {
	event := "AllocationThawReduced"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ticketEscrow.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TicketEscrowAllocationThawReduced)
	if len(log.Data) > 0 {
		if err := ticketEscrow.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range ticketEscrow.abi.Events[event].Inputs {
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

// TicketEscrowAllocationThawStarted represents a AllocationThawStarted event raised by the TicketEscrow contract.
type TicketEscrowAllocationThawStarted struct {
	Payer     common.Address
	Recipient common.Address
	Thawing   *big.Int
	ThawEnd   *big.Int
	Raw       *types.Log // Blockchain specific contextual infos
}

const TicketEscrowAllocationThawStartedEventName = "AllocationThawStarted"

// ContractEventName returns the user-defined event name.
func (TicketEscrowAllocationThawStarted) ContractEventName() string {
	return TicketEscrowAllocationThawStartedEventName
}

// UnpackAllocationThawStartedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event AllocationThawStarted(address indexed payer, address indexed recipient, uint256 thawing, uint256 thawEnd)
func (ticketEscrow *TicketEscrow) UnpackAllocationThawStartedEvent(log *types.Log) (*TicketEscrowAllocationThawStarted, error) {
	event := "AllocationThawStarted"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ticketEscrow.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TicketEscrowAllocationThawStarted)
	if len(log.Data) > 0 {
		if err := ticketEscrow.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range ticketEscrow.abi.Events[event].Inputs {
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

// TicketEscrowDeposited represents a Deposited event raised by the TicketEscrow contract.
type TicketEscrowDeposited struct {
	Funder  common.Address
	Account common.Address
	Amount  *big.Int
	Raw     *types.Log // Blockchain specific contextual infos
}

const TicketEscrowDepositedEventName = "Deposited"

// ContractEventName returns the user-defined event name.
func (TicketEscrowDeposited) ContractEventName() string {
	return TicketEscrowDepositedEventName
}

// UnpackDepositedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Deposited(address indexed funder, address indexed account, uint256 amount)
func (ticketEscrow *TicketEscrow) UnpackDepositedEvent(log *types.Log) (*TicketEscrowDeposited, error) {
	event := "Deposited"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ticketEscrow.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TicketEscrowDeposited)
	if len(log.Data) > 0 {
		if err := ticketEscrow.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range ticketEscrow.abi.Events[event].Inputs {
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

// TicketEscrowEIP712DomainChanged represents a EIP712DomainChanged event raised by the TicketEscrow contract.
type TicketEscrowEIP712DomainChanged struct {
	Raw *types.Log // Blockchain specific contextual infos
}

const TicketEscrowEIP712DomainChangedEventName = "EIP712DomainChanged"

// ContractEventName returns the user-defined event name.
func (TicketEscrowEIP712DomainChanged) ContractEventName() string {
	return TicketEscrowEIP712DomainChangedEventName
}

// UnpackEIP712DomainChangedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event EIP712DomainChanged()
func (ticketEscrow *TicketEscrow) UnpackEIP712DomainChangedEvent(log *types.Log) (*TicketEscrowEIP712DomainChanged, error) {
	event := "EIP712DomainChanged"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ticketEscrow.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TicketEscrowEIP712DomainChanged)
	if len(log.Data) > 0 {
		if err := ticketEscrow.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range ticketEscrow.abi.Events[event].Inputs {
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

// TicketEscrowRedeemed represents a Redeemed event raised by the TicketEscrow contract.
type TicketEscrowRedeemed struct {
	Payer     common.Address
	Recipient common.Address
	Lane      uint16
	LastNonce uint64
	Tickets   *big.Int
	Amount    *big.Int
	Raw       *types.Log // Blockchain specific contextual infos
}

const TicketEscrowRedeemedEventName = "Redeemed"

// ContractEventName returns the user-defined event name.
func (TicketEscrowRedeemed) ContractEventName() string {
	return TicketEscrowRedeemedEventName
}

// UnpackRedeemedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Redeemed(address indexed payer, address indexed recipient, uint16 lane, uint64 lastNonce, uint256 tickets, uint256 amount)
func (ticketEscrow *TicketEscrow) UnpackRedeemedEvent(log *types.Log) (*TicketEscrowRedeemed, error) {
	event := "Redeemed"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ticketEscrow.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TicketEscrowRedeemed)
	if len(log.Data) > 0 {
		if err := ticketEscrow.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range ticketEscrow.abi.Events[event].Inputs {
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

// TicketEscrowRunStopped represents a RunStopped event raised by the TicketEscrow contract.
type TicketEscrowRunStopped struct {
	Payer     common.Address
	Recipient common.Address
	Lane      uint16
	Nonce     uint64
	Reason    uint8
	Raw       *types.Log // Blockchain specific contextual infos
}

const TicketEscrowRunStoppedEventName = "RunStopped"

// ContractEventName returns the user-defined event name.
func (TicketEscrowRunStopped) ContractEventName() string {
	return TicketEscrowRunStoppedEventName
}

// UnpackRunStoppedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event RunStopped(address indexed payer, address indexed recipient, uint16 lane, uint64 nonce, uint8 reason)
func (ticketEscrow *TicketEscrow) UnpackRunStoppedEvent(log *types.Log) (*TicketEscrowRunStopped, error) {
	event := "RunStopped"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ticketEscrow.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TicketEscrowRunStopped)
	if len(log.Data) > 0 {
		if err := ticketEscrow.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range ticketEscrow.abi.Events[event].Inputs {
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

// TicketEscrowWithdrawn represents a Withdrawn event raised by the TicketEscrow contract.
type TicketEscrowWithdrawn struct {
	Account common.Address
	To      common.Address
	Amount  *big.Int
	Raw     *types.Log // Blockchain specific contextual infos
}

const TicketEscrowWithdrawnEventName = "Withdrawn"

// ContractEventName returns the user-defined event name.
func (TicketEscrowWithdrawn) ContractEventName() string {
	return TicketEscrowWithdrawnEventName
}

// UnpackWithdrawnEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Withdrawn(address indexed account, address indexed to, uint256 amount)
func (ticketEscrow *TicketEscrow) UnpackWithdrawnEvent(log *types.Log) (*TicketEscrowWithdrawn, error) {
	event := "Withdrawn"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ticketEscrow.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TicketEscrowWithdrawn)
	if len(log.Data) > 0 {
		if err := ticketEscrow.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range ticketEscrow.abi.Events[event].Inputs {
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
func (ticketEscrow *TicketEscrow) UnpackError(raw []byte) (any, error) {
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["DepositCapExceeded"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackDepositCapExceededError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["InsufficientAllocation"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackInsufficientAllocationError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["InsufficientBalance"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackInsufficientBalanceError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["InvalidShortString"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackInvalidShortStringError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["MalformedRuns"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackMalformedRunsError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["NotRecipient"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackNotRecipientError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["NothingThawing"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackNothingThawingError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["PaidBelowMinimum"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackPaidBelowMinimumError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["SelfAllocation"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackSelfAllocationError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["StillThawing"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackStillThawingError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["StringTooLong"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackStringTooLongError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["ThawPeriodOutOfRange"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackThawPeriodOutOfRangeError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["TicketRefused"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackTicketRefusedError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["WithdrawalFailed"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackWithdrawalFailedError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["ZeroAddress"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackZeroAddressError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["ZeroAmount"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackZeroAmountError(raw[4:])
	}
	return nil, errors.New("Unknown error")
}

// TicketEscrowDepositCapExceeded represents a DepositCapExceeded error raised by the TicketEscrow contract.
type TicketEscrowDepositCapExceeded struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error DepositCapExceeded()
func TicketEscrowDepositCapExceededErrorID() common.Hash {
	return common.HexToHash("0x935d630c647a635d499e9a607dfde432d01322141c675886746814122325ad61")
}

// UnpackDepositCapExceededError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error DepositCapExceeded()
func (ticketEscrow *TicketEscrow) UnpackDepositCapExceededError(raw []byte) (*TicketEscrowDepositCapExceeded, error) {
	out := new(TicketEscrowDepositCapExceeded)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "DepositCapExceeded", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TicketEscrowInsufficientAllocation represents a InsufficientAllocation error raised by the TicketEscrow contract.
type TicketEscrowInsufficientAllocation struct {
	Allocation *big.Int
	Amount     *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error InsufficientAllocation(uint256 allocation, uint256 amount)
func TicketEscrowInsufficientAllocationErrorID() common.Hash {
	return common.HexToHash("0xaf4956d05e554ba013f7aabc874a765e1eae0a7f27958d411efda2a702be474f")
}

// UnpackInsufficientAllocationError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error InsufficientAllocation(uint256 allocation, uint256 amount)
func (ticketEscrow *TicketEscrow) UnpackInsufficientAllocationError(raw []byte) (*TicketEscrowInsufficientAllocation, error) {
	out := new(TicketEscrowInsufficientAllocation)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "InsufficientAllocation", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TicketEscrowInsufficientBalance represents a InsufficientBalance error raised by the TicketEscrow contract.
type TicketEscrowInsufficientBalance struct {
	Balance *big.Int
	Amount  *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error InsufficientBalance(uint256 balance, uint256 amount)
func TicketEscrowInsufficientBalanceErrorID() common.Hash {
	return common.HexToHash("0xcf4791818fba6e019216eb4864093b4947f674afada5d305e57d598b641dad1d")
}

// UnpackInsufficientBalanceError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error InsufficientBalance(uint256 balance, uint256 amount)
func (ticketEscrow *TicketEscrow) UnpackInsufficientBalanceError(raw []byte) (*TicketEscrowInsufficientBalance, error) {
	out := new(TicketEscrowInsufficientBalance)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "InsufficientBalance", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TicketEscrowInvalidShortString represents a InvalidShortString error raised by the TicketEscrow contract.
type TicketEscrowInvalidShortString struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error InvalidShortString()
func TicketEscrowInvalidShortStringErrorID() common.Hash {
	return common.HexToHash("0xb3512b0c6163e5f0bafab72bb631b9d58cd7a731b082f910338aa21c83d5c274")
}

// UnpackInvalidShortStringError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error InvalidShortString()
func (ticketEscrow *TicketEscrow) UnpackInvalidShortStringError(raw []byte) (*TicketEscrowInvalidShortString, error) {
	out := new(TicketEscrowInvalidShortString)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "InvalidShortString", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TicketEscrowMalformedRuns represents a MalformedRuns error raised by the TicketEscrow contract.
type TicketEscrowMalformedRuns struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error MalformedRuns()
func TicketEscrowMalformedRunsErrorID() common.Hash {
	return common.HexToHash("0x2b500abfe99ef532d0d0defef35209bdf69519cdf9fbcf9747f44c4ddf52e8e1")
}

// UnpackMalformedRunsError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error MalformedRuns()
func (ticketEscrow *TicketEscrow) UnpackMalformedRunsError(raw []byte) (*TicketEscrowMalformedRuns, error) {
	out := new(TicketEscrowMalformedRuns)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "MalformedRuns", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TicketEscrowNotRecipient represents a NotRecipient error raised by the TicketEscrow contract.
type TicketEscrowNotRecipient struct {
	Caller common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotRecipient(address caller)
func TicketEscrowNotRecipientErrorID() common.Hash {
	return common.HexToHash("0x2e569cea65246f6819f0d71088bcbbb1afcf60d3f892777b8f172cdf85a12c8b")
}

// UnpackNotRecipientError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotRecipient(address caller)
func (ticketEscrow *TicketEscrow) UnpackNotRecipientError(raw []byte) (*TicketEscrowNotRecipient, error) {
	out := new(TicketEscrowNotRecipient)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "NotRecipient", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TicketEscrowNothingThawing represents a NothingThawing error raised by the TicketEscrow contract.
type TicketEscrowNothingThawing struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NothingThawing()
func TicketEscrowNothingThawingErrorID() common.Hash {
	return common.HexToHash("0xaa038c7cbd1dfafad3a1829c1f9ca98bec2a0f805cbea3ef4a92a094c5d71de6")
}

// UnpackNothingThawingError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NothingThawing()
func (ticketEscrow *TicketEscrow) UnpackNothingThawingError(raw []byte) (*TicketEscrowNothingThawing, error) {
	out := new(TicketEscrowNothingThawing)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "NothingThawing", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TicketEscrowPaidBelowMinimum represents a PaidBelowMinimum error raised by the TicketEscrow contract.
type TicketEscrowPaidBelowMinimum struct {
	Paid     *big.Int
	MinTotal *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error PaidBelowMinimum(uint256 paid, uint256 minTotal)
func TicketEscrowPaidBelowMinimumErrorID() common.Hash {
	return common.HexToHash("0x6bb0794b20f951554f31408adf84a0383b928a1f3e47721172ca2e0fbfb59196")
}

// UnpackPaidBelowMinimumError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error PaidBelowMinimum(uint256 paid, uint256 minTotal)
func (ticketEscrow *TicketEscrow) UnpackPaidBelowMinimumError(raw []byte) (*TicketEscrowPaidBelowMinimum, error) {
	out := new(TicketEscrowPaidBelowMinimum)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "PaidBelowMinimum", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TicketEscrowSelfAllocation represents a SelfAllocation error raised by the TicketEscrow contract.
type TicketEscrowSelfAllocation struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error SelfAllocation()
func TicketEscrowSelfAllocationErrorID() common.Hash {
	return common.HexToHash("0x9ef1af9eb085c474bc90c64a450e165c689c0d947a8d9a6060bb4379a6bcc347")
}

// UnpackSelfAllocationError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error SelfAllocation()
func (ticketEscrow *TicketEscrow) UnpackSelfAllocationError(raw []byte) (*TicketEscrowSelfAllocation, error) {
	out := new(TicketEscrowSelfAllocation)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "SelfAllocation", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TicketEscrowStillThawing represents a StillThawing error raised by the TicketEscrow contract.
type TicketEscrowStillThawing struct {
	ThawEnd *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error StillThawing(uint256 thawEnd)
func TicketEscrowStillThawingErrorID() common.Hash {
	return common.HexToHash("0x686e00f349fec1ae41a99f9b25348f940a560249a7008268b91088e3a5109be4")
}

// UnpackStillThawingError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error StillThawing(uint256 thawEnd)
func (ticketEscrow *TicketEscrow) UnpackStillThawingError(raw []byte) (*TicketEscrowStillThawing, error) {
	out := new(TicketEscrowStillThawing)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "StillThawing", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TicketEscrowStringTooLong represents a StringTooLong error raised by the TicketEscrow contract.
type TicketEscrowStringTooLong struct {
	Str string
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error StringTooLong(string str)
func TicketEscrowStringTooLongErrorID() common.Hash {
	return common.HexToHash("0x305a27a93f8e33b7392df0a0f91d6fc63847395853c45991eec52dbf24d72381")
}

// UnpackStringTooLongError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error StringTooLong(string str)
func (ticketEscrow *TicketEscrow) UnpackStringTooLongError(raw []byte) (*TicketEscrowStringTooLong, error) {
	out := new(TicketEscrowStringTooLong)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "StringTooLong", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TicketEscrowThawPeriodOutOfRange represents a ThawPeriodOutOfRange error raised by the TicketEscrow contract.
type TicketEscrowThawPeriodOutOfRange struct {
	ThawPeriod *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ThawPeriodOutOfRange(uint256 thawPeriod)
func TicketEscrowThawPeriodOutOfRangeErrorID() common.Hash {
	return common.HexToHash("0x0c5daec25fcb8e1cabef00e73d3d09eac23e38a690ecdfc6ae6ae179297b6dbe")
}

// UnpackThawPeriodOutOfRangeError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ThawPeriodOutOfRange(uint256 thawPeriod)
func (ticketEscrow *TicketEscrow) UnpackThawPeriodOutOfRangeError(raw []byte) (*TicketEscrowThawPeriodOutOfRange, error) {
	out := new(TicketEscrowThawPeriodOutOfRange)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "ThawPeriodOutOfRange", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TicketEscrowTicketRefused represents a TicketRefused error raised by the TicketEscrow contract.
type TicketEscrowTicketRefused struct {
	Reason uint8
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error TicketRefused(uint8 reason)
func TicketEscrowTicketRefusedErrorID() common.Hash {
	return common.HexToHash("0xcd67e6b2dbbf112ef457a596353a5710124d4c2c584fa61372a551ae98664d02")
}

// UnpackTicketRefusedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error TicketRefused(uint8 reason)
func (ticketEscrow *TicketEscrow) UnpackTicketRefusedError(raw []byte) (*TicketEscrowTicketRefused, error) {
	out := new(TicketEscrowTicketRefused)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "TicketRefused", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TicketEscrowWithdrawalFailed represents a WithdrawalFailed error raised by the TicketEscrow contract.
type TicketEscrowWithdrawalFailed struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WithdrawalFailed()
func TicketEscrowWithdrawalFailedErrorID() common.Hash {
	return common.HexToHash("0x27fcd9d1b3904ea7ea03a8482bae8169f49cfae6e56d540f058b941597289203")
}

// UnpackWithdrawalFailedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WithdrawalFailed()
func (ticketEscrow *TicketEscrow) UnpackWithdrawalFailedError(raw []byte) (*TicketEscrowWithdrawalFailed, error) {
	out := new(TicketEscrowWithdrawalFailed)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "WithdrawalFailed", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TicketEscrowZeroAddress represents a ZeroAddress error raised by the TicketEscrow contract.
type TicketEscrowZeroAddress struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ZeroAddress()
func TicketEscrowZeroAddressErrorID() common.Hash {
	return common.HexToHash("0xd92e233df2717d4a40030e20904abd27b68fcbeede117eaaccbbdac9618c8c73")
}

// UnpackZeroAddressError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ZeroAddress()
func (ticketEscrow *TicketEscrow) UnpackZeroAddressError(raw []byte) (*TicketEscrowZeroAddress, error) {
	out := new(TicketEscrowZeroAddress)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "ZeroAddress", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TicketEscrowZeroAmount represents a ZeroAmount error raised by the TicketEscrow contract.
type TicketEscrowZeroAmount struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ZeroAmount()
func TicketEscrowZeroAmountErrorID() common.Hash {
	return common.HexToHash("0x1f2a2005cb66a8e145327e8814e243a0996aec9bfe1e15a495778b1236dbd485")
}

// UnpackZeroAmountError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ZeroAmount()
func (ticketEscrow *TicketEscrow) UnpackZeroAmountError(raw []byte) (*TicketEscrowZeroAmount, error) {
	out := new(TicketEscrowZeroAmount)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "ZeroAmount", raw); err != nil {
		return nil, err
	}
	return out, nil
}
