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

// ITicketEscrowRedeemOrder is an auto generated low-level Go binding around an user-defined struct.
type ITicketEscrowRedeemOrder struct {
	Recipient  common.Address
	RunsHash   [32]byte
	MinTotal   *big.Int
	Fee        *big.Int
	To         common.Address
	OrderNonce uint64
	Deadline   *big.Int
}

// ITicketEscrowSettlement is an auto generated low-level Go binding around an user-defined struct.
type ITicketEscrowSettlement struct {
	Payer     common.Address
	Recipient common.Address
	Lane      uint16
	FromNonce uint64
	ToNonce   uint64
	Amount    *big.Int
	Expiry    *big.Int
}

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
	ABI: "[{\"type\":\"constructor\",\"inputs\":[{\"name\":\"asset\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"thawPeriod\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"authority\",\"type\":\"address\",\"internalType\":\"address\"}],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"ASSET\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"address\",\"internalType\":\"address\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"AUTHORITY\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"address\",\"internalType\":\"address\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"DOMAIN_SEPARATOR\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"MAX_PAUSE\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint40\",\"internalType\":\"uint40\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"MIN_PAUSE_GAP\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint40\",\"internalType\":\"uint40\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"REDEEM_ORDER_TYPEHASH\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"SETTLEMENT_TYPEHASH\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"THAW_PERIOD\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint40\",\"internalType\":\"uint40\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"TICKET_TYPEHASH\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"account\",\"inputs\":[{\"name\":\"owner\",\"type\":\"address\",\"internalType\":\"address\"}],\"outputs\":[{\"name\":\"balance\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"opened\",\"type\":\"bool\",\"internalType\":\"bool\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"allocate\",\"inputs\":[{\"name\":\"recipient\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"amount\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"allocateFrom\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"amount\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"allocation\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"internalType\":\"address\"}],\"outputs\":[{\"name\":\"amount\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"thawing\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"thawEnd\",\"type\":\"uint40\",\"internalType\":\"uint40\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"cancelOrders\",\"inputs\":[],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"deposit\",\"inputs\":[],\"outputs\":[],\"stateMutability\":\"payable\"},{\"type\":\"function\",\"name\":\"depositFor\",\"inputs\":[{\"name\":\"owner\",\"type\":\"address\",\"internalType\":\"address\"}],\"outputs\":[],\"stateMutability\":\"payable\"},{\"type\":\"function\",\"name\":\"depositToken\",\"inputs\":[{\"name\":\"owner\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"amount\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"eip712Domain\",\"inputs\":[],\"outputs\":[{\"name\":\"fields\",\"type\":\"bytes1\",\"internalType\":\"bytes1\"},{\"name\":\"name\",\"type\":\"string\",\"internalType\":\"string\"},{\"name\":\"version\",\"type\":\"string\",\"internalType\":\"string\"},{\"name\":\"chainId\",\"type\":\"uint256\",\"internalType\":\"uint256\"},{\"name\":\"verifyingContract\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"salt\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"extensions\",\"type\":\"uint256[]\",\"internalType\":\"uint256[]\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"flagEquivocation\",\"inputs\":[{\"name\":\"a\",\"type\":\"tuple\",\"internalType\":\"structITicketEscrow.Ticket\",\"components\":[{\"name\":\"payer\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"lane\",\"type\":\"uint16\",\"internalType\":\"uint16\"},{\"name\":\"nonce\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"faceValue\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"winProb\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"expiry\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"recipientRandHash\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"salt\",\"type\":\"uint64\",\"internalType\":\"uint64\"}]},{\"name\":\"rA\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"vsA\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"b\",\"type\":\"tuple\",\"internalType\":\"structITicketEscrow.Ticket\",\"components\":[{\"name\":\"payer\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"lane\",\"type\":\"uint16\",\"internalType\":\"uint16\"},{\"name\":\"nonce\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"faceValue\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"winProb\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"expiry\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"recipientRandHash\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"salt\",\"type\":\"uint64\",\"internalType\":\"uint64\"}]},{\"name\":\"rB\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"vsB\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"isFlagged\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"internalType\":\"address\"}],\"outputs\":[{\"name\":\"\",\"type\":\"bool\",\"internalType\":\"bool\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"isOperator\",\"inputs\":[{\"name\":\"recipient\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"operator\",\"type\":\"address\",\"internalType\":\"address\"}],\"outputs\":[{\"name\":\"\",\"type\":\"bool\",\"internalType\":\"bool\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"isWinning\",\"inputs\":[{\"name\":\"recipientRand\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"digest\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"winProb\",\"type\":\"uint64\",\"internalType\":\"uint64\"}],\"outputs\":[{\"name\":\"\",\"type\":\"bool\",\"internalType\":\"bool\"}],\"stateMutability\":\"pure\"},{\"type\":\"function\",\"name\":\"laneWatermark\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"lane\",\"type\":\"uint16\",\"internalType\":\"uint16\"}],\"outputs\":[{\"name\":\"\",\"type\":\"uint64\",\"internalType\":\"uint64\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"lastPause\",\"inputs\":[],\"outputs\":[{\"name\":\"start\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"end\",\"type\":\"uint40\",\"internalType\":\"uint40\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"orderNonce\",\"inputs\":[{\"name\":\"recipient\",\"type\":\"address\",\"internalType\":\"address\"}],\"outputs\":[{\"name\":\"\",\"type\":\"uint64\",\"internalType\":\"uint64\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"pause\",\"inputs\":[],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"payableUntil\",\"inputs\":[{\"name\":\"expiry\",\"type\":\"uint40\",\"internalType\":\"uint40\"}],\"outputs\":[{\"name\":\"\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"redeem\",\"inputs\":[{\"name\":\"ticket\",\"type\":\"tuple\",\"internalType\":\"structITicketEscrow.Ticket\",\"components\":[{\"name\":\"payer\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"lane\",\"type\":\"uint16\",\"internalType\":\"uint16\"},{\"name\":\"nonce\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"faceValue\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"winProb\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"expiry\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"recipientRandHash\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"salt\",\"type\":\"uint64\",\"internalType\":\"uint64\"}]},{\"name\":\"recipientRand\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"r\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"vs\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"redeemBatch\",\"inputs\":[{\"name\":\"runs\",\"type\":\"bytes\",\"internalType\":\"bytes\"},{\"name\":\"minTotal\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"outputs\":[{\"name\":\"paid\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"redeemBatchOf\",\"inputs\":[{\"name\":\"recipient\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"runs\",\"type\":\"bytes\",\"internalType\":\"bytes\"},{\"name\":\"minTotal\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"outputs\":[{\"name\":\"paid\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"redeemBatchTo\",\"inputs\":[{\"name\":\"runs\",\"type\":\"bytes\",\"internalType\":\"bytes\"},{\"name\":\"minTotal\",\"type\":\"uint256\",\"internalType\":\"uint256\"},{\"name\":\"to\",\"type\":\"address\",\"internalType\":\"addresspayable\"}],\"outputs\":[{\"name\":\"paid\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"redeemFor\",\"inputs\":[{\"name\":\"order\",\"type\":\"tuple\",\"internalType\":\"structITicketEscrow.RedeemOrder\",\"components\":[{\"name\":\"recipient\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"runsHash\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"minTotal\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"fee\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"to\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"orderNonce\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"deadline\",\"type\":\"uint40\",\"internalType\":\"uint40\"}]},{\"name\":\"runs\",\"type\":\"bytes\",\"internalType\":\"bytes\"},{\"name\":\"r\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"vs\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"outputs\":[{\"name\":\"paid\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"redeemOrderDigest\",\"inputs\":[{\"name\":\"order\",\"type\":\"tuple\",\"internalType\":\"structITicketEscrow.RedeemOrder\",\"components\":[{\"name\":\"recipient\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"runsHash\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"minTotal\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"fee\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"to\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"orderNonce\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"deadline\",\"type\":\"uint40\",\"internalType\":\"uint40\"}]}],\"outputs\":[{\"name\":\"\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"releaseAllocation\",\"inputs\":[{\"name\":\"recipient\",\"type\":\"address\",\"internalType\":\"address\"}],\"outputs\":[{\"name\":\"released\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"releaseAllocationOf\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"internalType\":\"address\"}],\"outputs\":[{\"name\":\"released\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"revokeSession\",\"inputs\":[{\"name\":\"signer\",\"type\":\"address\",\"internalType\":\"address\"}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"session\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"signer\",\"type\":\"address\",\"internalType\":\"address\"}],\"outputs\":[{\"name\":\"validUntil\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"dailyCap\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"left\",\"type\":\"uint96\",\"internalType\":\"uint96\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"setOperator\",\"inputs\":[{\"name\":\"operator\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"allowed\",\"type\":\"bool\",\"internalType\":\"bool\"}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"setSession\",\"inputs\":[{\"name\":\"signer\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"validUntil\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"dailyCap\",\"type\":\"uint96\",\"internalType\":\"uint96\"}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"settle\",\"inputs\":[{\"name\":\"s\",\"type\":\"tuple\",\"internalType\":\"structITicketEscrow.Settlement\",\"components\":[{\"name\":\"payer\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"lane\",\"type\":\"uint16\",\"internalType\":\"uint16\"},{\"name\":\"fromNonce\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"toNonce\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"amount\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"expiry\",\"type\":\"uint40\",\"internalType\":\"uint40\"}]},{\"name\":\"r\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"vs\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"settlementDigest\",\"inputs\":[{\"name\":\"settlement\",\"type\":\"tuple\",\"internalType\":\"structITicketEscrow.Settlement\",\"components\":[{\"name\":\"payer\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"lane\",\"type\":\"uint16\",\"internalType\":\"uint16\"},{\"name\":\"fromNonce\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"toNonce\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"amount\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"expiry\",\"type\":\"uint40\",\"internalType\":\"uint40\"}]}],\"outputs\":[{\"name\":\"\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"thawAllocation\",\"inputs\":[{\"name\":\"recipient\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"amount\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"thawAllocationOf\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"amount\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"ticketDigest\",\"inputs\":[{\"name\":\"ticket\",\"type\":\"tuple\",\"internalType\":\"structITicketEscrow.Ticket\",\"components\":[{\"name\":\"payer\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"lane\",\"type\":\"uint16\",\"internalType\":\"uint16\"},{\"name\":\"nonce\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"faceValue\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"winProb\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"expiry\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"recipientRandHash\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"salt\",\"type\":\"uint64\",\"internalType\":\"uint64\"}]}],\"outputs\":[{\"name\":\"\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"unpause\",\"inputs\":[],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"withdraw\",\"inputs\":[{\"name\":\"to\",\"type\":\"address\",\"internalType\":\"addresspayable\"},{\"name\":\"amount\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"event\",\"name\":\"Allocated\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"amount\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"AllocationReleased\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"amount\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"AllocationThawReduced\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"thawing\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"AllocationThawStarted\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"thawing\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"},{\"name\":\"thawEnd\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"Deposited\",\"inputs\":[{\"name\":\"funder\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"account\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"amount\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"EIP712DomainChanged\",\"inputs\":[],\"anonymous\":false},{\"type\":\"event\",\"name\":\"OperatorSet\",\"inputs\":[{\"name\":\"recipient\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"operator\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"allowed\",\"type\":\"bool\",\"indexed\":false,\"internalType\":\"bool\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"OrderRelayed\",\"inputs\":[{\"name\":\"recipient\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"relayer\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"orderNonce\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"},{\"name\":\"fee\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"OrdersCancelled\",\"inputs\":[{\"name\":\"recipient\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"orderNonce\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"PairSettled\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"lane\",\"type\":\"uint16\",\"indexed\":false,\"internalType\":\"uint16\"},{\"name\":\"fromNonce\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"},{\"name\":\"toNonce\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"},{\"name\":\"amount\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"Paused\",\"inputs\":[{\"name\":\"by\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"end\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"PayerFlagged\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"reporter\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"lane\",\"type\":\"uint16\",\"indexed\":false,\"internalType\":\"uint16\"},{\"name\":\"nonce\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"Redeemed\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"lane\",\"type\":\"uint16\",\"indexed\":false,\"internalType\":\"uint16\"},{\"name\":\"lastNonce\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"},{\"name\":\"tickets\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"},{\"name\":\"amount\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"RunStopped\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"recipient\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"lane\",\"type\":\"uint16\",\"indexed\":false,\"internalType\":\"uint16\"},{\"name\":\"nonce\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"},{\"name\":\"reason\",\"type\":\"uint8\",\"indexed\":false,\"internalType\":\"enumITicketEscrow.Refusal\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"SessionRevoked\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"signer\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"validUntil\",\"type\":\"uint40\",\"indexed\":false,\"internalType\":\"uint40\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"SessionSet\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"signer\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"validUntil\",\"type\":\"uint40\",\"indexed\":false,\"internalType\":\"uint40\"},{\"name\":\"dailyCap\",\"type\":\"uint96\",\"indexed\":false,\"internalType\":\"uint96\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"Unpaused\",\"inputs\":[{\"name\":\"by\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"Withdrawn\",\"inputs\":[{\"name\":\"account\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"to\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"amount\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"error\",\"name\":\"DepositCapExceeded\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"InsufficientAllocation\",\"inputs\":[{\"name\":\"allocation\",\"type\":\"uint256\",\"internalType\":\"uint256\"},{\"name\":\"amount\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"InsufficientBalance\",\"inputs\":[{\"name\":\"balance\",\"type\":\"uint256\",\"internalType\":\"uint256\"},{\"name\":\"amount\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"InvalidShortString\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"MalformedRuns\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"NoEquivocation\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"NotPaused\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"NotRecipient\",\"inputs\":[{\"name\":\"caller\",\"type\":\"address\",\"internalType\":\"address\"}]},{\"type\":\"error\",\"name\":\"NothingThawing\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"OrderExpired\",\"inputs\":[{\"name\":\"deadline\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"OrderMismatch\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"OrderNonceWrong\",\"inputs\":[{\"name\":\"expected\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"OrderSignatureInvalid\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"PaidBelowMinimum\",\"inputs\":[{\"name\":\"paid\",\"type\":\"uint256\",\"internalType\":\"uint256\"},{\"name\":\"minTotal\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"PausedTooRecently\",\"inputs\":[{\"name\":\"possibleFrom\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"PausedUntil\",\"inputs\":[{\"name\":\"end\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"PayerIsFlagged\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"internalType\":\"address\"}]},{\"type\":\"error\",\"name\":\"ReentrancyGuardReentrantCall\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"SafeERC20FailedOperation\",\"inputs\":[{\"name\":\"token\",\"type\":\"address\",\"internalType\":\"address\"}]},{\"type\":\"error\",\"name\":\"SelfAllocation\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"SessionCapExceeded\",\"inputs\":[{\"name\":\"left\",\"type\":\"uint256\",\"internalType\":\"uint256\"},{\"name\":\"amount\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"SessionInvalid\",\"inputs\":[{\"name\":\"payer\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"signer\",\"type\":\"address\",\"internalType\":\"address\"}]},{\"type\":\"error\",\"name\":\"SessionShortened\",\"inputs\":[{\"name\":\"validUntil\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"StillThawing\",\"inputs\":[{\"name\":\"thawEnd\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"StringTooLong\",\"inputs\":[{\"name\":\"str\",\"type\":\"string\",\"internalType\":\"string\"}]},{\"type\":\"error\",\"name\":\"ThawPeriodOutOfRange\",\"inputs\":[{\"name\":\"thawPeriod\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"TicketRefused\",\"inputs\":[{\"name\":\"reason\",\"type\":\"uint8\",\"internalType\":\"enumITicketEscrow.Refusal\"}]},{\"type\":\"error\",\"name\":\"TransferMismatch\",\"inputs\":[{\"name\":\"received\",\"type\":\"uint256\",\"internalType\":\"uint256\"},{\"name\":\"amount\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"Unauthorised\",\"inputs\":[{\"name\":\"caller\",\"type\":\"address\",\"internalType\":\"address\"}]},{\"type\":\"error\",\"name\":\"WithdrawalFailed\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"WrongAsset\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"ZeroAddress\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"ZeroAmount\",\"inputs\":[]}]",
	ID:  "TicketEscrow",
	Bin: "0x6101e0806040523461027257606081615abe80380380916100208285610276565b83398101031261027257610033816102ad565b60208201519064ffffffffff82169283830361027257604061005591016102ad565b9160405190610065604083610276565b6013825260208201927f4b696e6f7261205469636b6574457363726f77000000000000000000000000008452604051956100a0604088610276565b600187526020870195603160f81b875260805262278d0081115f1461026957825b60a0528015801561025d575b61024b57506001600160a01b038116151580610242575b6102335760c05260e0526100f7816102c1565b6101a052610104846102c1565b6101c052519020918261016052519020806101805246610120526040519060208201927f8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f8452604083015260608201524660808201523060a082015260a0815261016f60c082610276565b519020610100523061014052604051615791908161032d823960805181818161112701526136dd015260a0518181816110700152818161165d01526116bc015260c0518181816128d501528181612b82015281816149320152614a48015260e051818181610e87015281816130210152818161391d0152614e1b0152610100518161357d0152610120518161363a0152610140518161354e015261016051816135cc015261018051816135f201526101a051816113c801526101c051816113f10152f35b63f170c67f60e01b5f5260045ffd5b50803b156100e4565b63062ed76160e11b5f5260045260245ffd5b506276a70081116100cd565b62278d006100c1565b5f80fd5b601f909101601f19168101906001600160401b0382119082101761029957604052565b634e487b7160e01b5f52604160045260245ffd5b51906001600160a01b038216820361027257565b601f8151116102ec5760208151910151602082106102dd571790565b5f198260200360031b1b161790565b604460209160405192839163305a27a960e01b83528160048401528051918291826024860152018484015e5f828201840152601f01601f19168101030190fdfe60806040526004361015610011575f80fd5b5f3560e01c80631fa5d6a414612fa7578063260358fe14612ef5578063338b5dea14612adf5780633644e51514612aa75780633f4ba83a146129d8578063460c1a7a146128f95780634800d97f1461288b5780635408047114612869578063558a72971461279b5780635908e636146127435780635cf112c1146123bf578063665a055e146123615780636d2f540a146123255780636f52108714611eed57806373b9aa9114611e6457806374d8950d14611e2057806375434a7514611dc857806378c4a530146118ea5780637faf6a791461189f57806382eefb4b14611797578063836d88b8146116ea5780638456cb59146114c457806384b0196e1461139257806388016da51461114b57806389fcd796146110dd5780638bf6dd0a146110945780638d25b3b0146110355780638f47d89514610faf5780638f60579914610f73578063922273c014610ee6578063999d55fb14610eab5780639c8a63af14610e4c578063aa67c91914610e12578063b1fb79c014610dba578063b5139e6e14610cb5578063b6363cf214610c24578063b78b52df14610be0578063bb30d79614610b9e578063c088e8d3146109b7578063d0e30db014610985578063d10230ab14610930578063d3189fa9146103cb578063e3cf2d9814610378578063e47937f014610308578063f3fef3a3146102825763fef48a9914610213575f80fd5b3461027e5760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e5773ffffffffffffffffffffffffffffffffffffffff61025f61313c565b165f526001602052602060ff60405f205460681c166040519015158152f35b5f80fd5b3461027e5760407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e576102b961313c565b6024356102c46134f6565b80156102e0576102de916102d88233614e40565b336148c7565b005b7f1f2a2005000000000000000000000000000000000000000000000000000000005f5260045ffd5b3461027e5760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e5773ffffffffffffffffffffffffffffffffffffffff61035461313c565b165f526001602052602067ffffffffffffffff60405f205460701c16604051908152f35b3461027e5760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e5760043564ffffffffff8116810361027e576103c3602091614dfc565b604051908152f35b3461027e577ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601610140811261027e5760e01361027e5760e43567ffffffffffffffff811161027e576104239036906004016131f4565b64ffffffffff610431613495565b1642116108f65767ffffffffffffffff81116108c95760405161047c601f83017fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe016602001826132d6565b8181526020810190368385011161027e57828483375f60208483010152519020602435036108a15773ffffffffffffffffffffffffffffffffffffffff6104c1613367565b165f52600160205267ffffffffffffffff60405f205460701c169060a43567ffffffffffffffff811680820361027e578391500361087557610554610124356101043561054f61050f614216565b610517613537565b604291604051917f19010000000000000000000000000000000000000000000000000000000000008352600283015260228201522090565b61456d565b50600481101561084857159081159161081d575b506107f55760209261063b916105ef61058085613324565b73ffffffffffffffffffffffffffffffffffffffff61059d613367565b165f526001875260405f20907fffffffffffffffffffff0000000000000000ffffffffffffffffffffffffffff75ffffffffffffffff000000000000000000000000000083549260701b169116179055565b6105f7613367565b9161060061345f565b6bffffffffffffffffffffffff8061061661347a565b16911611156107db576bffffffffffffffffffffffff61063461345f565b1692614621565b906bffffffffffffffffffffffff61065161347a565b16610784575b61065f613367565b906bffffffffffffffffffffffff61067561347a565b60405192835216848201527f1143fbf6dff14e9da5f55859e7b6056717a3c1961a0337084bffbd15365c4427604073ffffffffffffffffffffffffffffffffffffffff33941692a36106dc6bffffffffffffffffffffffff6106d561347a565b1682613317565b73ffffffffffffffffffffffffffffffffffffffff6106f961338a565b16610742576103c39061070a613367565b73ffffffffffffffffffffffffffffffffffffffff165f5260016020526c0100000000000000000000000060405f2091825401179055565b8061074e575b506103c3565b61077e9061075a613367565b73ffffffffffffffffffffffffffffffffffffffff61077761338a565b16906148c7565b82610748565b6107d66bffffffffffffffffffffffff61079c61347a565b163373ffffffffffffffffffffffffffffffffffffffff165f5260016020526c0100000000000000000000000060405f2091825401179055565b610657565b6bffffffffffffffffffffffff6107f061347a565b610634565b7f9cd3191d000000000000000000000000000000000000000000000000000000005f5260045ffd5b905073ffffffffffffffffffffffffffffffffffffffff8061083d613367565b169116141584610568565b7f4e487b71000000000000000000000000000000000000000000000000000000005f52602160045260245ffd5b507fc8f3e551000000000000000000000000000000000000000000000000000000005f5260045260245ffd5b7f05bbc7b8000000000000000000000000000000000000000000000000000000005f5260045ffd5b7f4e487b71000000000000000000000000000000000000000000000000000000005f52604160045260245ffd5b64ffffffffff610904613495565b7f1ad308dc000000000000000000000000000000000000000000000000000000005f521660045260245ffd5b3461027e5760407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e5760206103c361096c61313c565b61097461315f565b9061097f338261373e565b50614b33565b5f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e576102de33614a29565b3461027e5760607ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e576109ee61313c565b60243564ffffffffff811680910361027e57604435916bffffffffffffffffffffffff83169081840361027e5773ffffffffffffffffffffffffffffffffffffffff169283158015610b95575b610b6557335f52600360205260405f20845f5260205260405f2042841115610b355764ffffffffff815416808510610b0a575080547fffffffffffffffffffffffffffffff000000000000000000000000ffffffffff85167fffffffffffffffffffffffffffffff00000000000000000000000000000000009091161760289290921b70ffffffffffffffffffffffff00000000001691909117905560405191825260208201527f72b8688b9452430b824a391fe3dbc8c33740123f3cf1e5d99b31cf4710b33abd60403392a3005b7f84478112000000000000000000000000000000000000000000000000000000005f5260045260245ffd5b847feebb189f000000000000000000000000000000000000000000000000000000005f523360045260245260445ffd5b837feebb189f000000000000000000000000000000000000000000000000000000005f523360045260245260445ffd5b50338414610a3b565b3461027e5760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e5760206103c3610bda61313c565b33614b33565b3461027e5760407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e576102de610c1a61313c565b6024359033614786565b3461027e5760407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e57610c5b61313c565b73ffffffffffffffffffffffffffffffffffffffff610c7861315f565b91165f52600760205273ffffffffffffffffffffffffffffffffffffffff60405f2091165f52602052602060ff60405f2054166040519015158152f35b3461027e5760407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e57610cec61313c565b73ffffffffffffffffffffffffffffffffffffffff610d0961315f565b91165f52600360205273ffffffffffffffffffffffffffffffffffffffff60405f2091165f52602052606060405f206bffffffffffffffffffffffff60405191610d528361329d565b5464ffffffffff811692838152828260281c1691826020830152838160881c16604083015260e81c85820152834211155f14610db257610d9d9062ffffff620151804204169061474a565b905b6040519384526020840152166040820152f35b505f90610d9f565b3461027e575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e5760206040517f45d394245021e12f47f63c26ced71f597da6b9d32215e49a66c6759b1168cc708152f35b60207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e576102de610e4761313c565b614a29565b3461027e575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e57602060405164ffffffffff7f0000000000000000000000000000000000000000000000000000000000000000168152f35b3461027e575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e5760206040516203f4808152f35b3461027e5760607ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e5760043567ffffffffffffffff811161027e57610f359036906004016131f4565b906044359073ffffffffffffffffffffffffffffffffffffffff8216820361027e57610f6b6103c3916020946024359133614621565b8092336148c7565b3461027e5760e07ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e5760206103c361050f614467565b3461027e5760407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e5760043567ffffffffffffffff811161027e5761100d61100360209236906004016131f4565b6024359133614621565b335f908152600160205260409020805482016c010000000000000000000000001790556103c3565b3461027e575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e57602060405164ffffffffff7f0000000000000000000000000000000000000000000000000000000000000000168152f35b3461027e576101207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e5760206103c36101406110d4613b84565b20610517613537565b3461027e575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e57602060405173ffffffffffffffffffffffffffffffffffffffff7f0000000000000000000000000000000000000000000000000000000000000000168152f35b3461027e5761115936613182565b90611164338461373e565b9262ffffff62015180420416936bffffffffffffffffffffffff611188868361474a565b16808511611362575060608101805162ffffff16860361135c576bffffffffffffffffffffffff6040830151165b6bffffffffffffffffffffffff8087169116016bffffffffffffffffffffffff811161132f576102de966bffffffffffffffffffffffff6040850192168252825273ffffffffffffffffffffffffffffffffffffffff84165f52600360205260405f2073ffffffffffffffffffffffffffffffffffffffff33165f526020526112c46bffffffffffffffffffffffff602060405f209564ffffffffff80825116167fffffffffffffffffffffffffffffffffffffffffffffffffffffff000000000088541617875501511684907fffffffffffffffffffffffffffffff000000000000000000000000ffffffffff70ffffffffffffffffffffffff000000000083549260281b169116179055565b519070ffffffffffffffffffffffffffffffffff7cffffffffffffffffffffffff00000000000000000000000000000000007fffffff00000000000000000000000000000000000000000000000000000000008554935160e81b169360881b16911617179055614786565b7f4e487b71000000000000000000000000000000000000000000000000000000005f52601160045260245ffd5b5f6111b6565b84907fbe4aa6fc000000000000000000000000000000000000000000000000000000005f5260045260245260445ffd5b3461027e575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e576114686113ec7f0000000000000000000000000000000000000000000000000000000000000000615637565b6114157f0000000000000000000000000000000000000000000000000000000000000000615637565b60206114766040519261142883856132d6565b5f84525f3681376040519586957f0f00000000000000000000000000000000000000000000000000000000000000875260e08588015260e0870190613222565b908582036040870152613222565b4660608501523060808501525f60a085015283810360c08501528180845192838152019301915f5b8281106114ad57505050500390f35b83518552869550938101939281019260010161149e565b3461027e575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e576114fa613660565b6115026134a9565b602081019064ffffffffff82511680151590816116ae575b5061164e5761153a64ffffffffff83511664ffffffffff835116906134da565b9064ffffffffff611552604083019382855116613265565b1682526203f48064ffffffffff4216808352019064ffffffffff821161132f5764ffffffffff9081831680955251167fffffffffffffffffffffffffffffffffffffffffffffffffffffff00000000005f5416175f557fffffffffffffffffffffffffffffffffffffffffffff0000000000ffffffffff69ffffffffff0000000000805f549360281b16169116175f55517fffffffffffffffffffffffffffffffffff0000000000ffffffffffffffffffff6effffffffff000000000000000000005f549260501b169116175f556040519081527fab40a374bc51de372200a8bc981af8c9ecdc08dfdaef0bb6e09f88f3c616ef3d60203392a2005b64ffffffffff611682818451167f000000000000000000000000000000000000000000000000000000000000000090613265565b7f79abcd72000000000000000000000000000000000000000000000000000000005f521660045260245ffd5b64ffffffffff91506116e1907f000000000000000000000000000000000000000000000000000000000000000090613265565b1642108361151a565b3461027e5760607ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e5761172161313c565b6024359067ffffffffffffffff821161027e576103c361175d61174a60209436906004016131f4565b61175385613af8565b6044359185614621565b809273ffffffffffffffffffffffffffffffffffffffff165f5260016020526c0100000000000000000000000060405f2091825401179055565b3461027e5760407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e576117ce61313c565b73ffffffffffffffffffffffffffffffffffffffff6117eb61315f565b91165f52600260205273ffffffffffffffffffffffffffffffffffffffff60405f2091165f52602052606060405f2064ffffffffff6040519161182d83613281565b54916bffffffffffffffffffffffff8316928382528260406bffffffffffffffffffffffff83881c1693846020820152019160c01c16815281155f1461188357505f906040519384526020840152166040820152f35b61189990836118906145ac565b915116906145d0565b90610d9f565b3461027e575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e5760405f5464ffffffffff825191818116835260281c166020820152f35b3461027e577ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601610120811261027e5760e01361027e5761193261192d613344565b613af8565b61193a6134f6565b6119426133fa565b73ffffffffffffffffffffffffffffffffffffffff61195f613367565b16602082015273ffffffffffffffffffffffffffffffffffffffff611982613344565b1660408201526bffffffffffffffffffffffff61199d613444565b1660a082015264ffffffffff6119b1613495565b1660e08201526119c081613d5e565b600c81101561084857801580611da4575b611d9c575b600c81101561084857801580611d19575b611d11575b611a1b6119f7613367565b6119ff613344565b6bffffffffffffffffffffffff611a14613444565b1691613cc1565b91600c821015610848578115611c8a575b50600c81101561084857801580611c67575b611c5f575b600c8110156108485780611c2e57611b31826bffffffffffffffffffffffff611a6a613444565b16611a7a60408301918251613317565b9052611a846133e3565b73ffffffffffffffffffffffffffffffffffffffff611aa1613367565b165f52600660205260405f2073ffffffffffffffffffffffffffffffffffffffff611aca613344565b165f5260205260405f2061ffff611adf6133bb565b165f5260205267ffffffffffffffff60405f2091167fffffffffffffffffffffffffffffffffffffffffffffffff0000000000000000825416179055611b23613367565b611b2b613344565b91613fab565b611b39613367565b611b41613344565b7f9ab1db1298c40acbda0327bf5af42507dbd68fffbdf18e76b4b7f4bbf2a5776e608073ffffffffffffffffffffffffffffffffffffffff80611b826133bb565b946bffffffffffffffffffffffff611b986133cc565b67ffffffffffffffff611ba96133e3565b81611bb2613444565b9361ffff6040519c168c521660208b015216604089015216606087015216941692a36102de611bdf613344565b6bffffffffffffffffffffffff611bf4613444565b169073ffffffffffffffffffffffffffffffffffffffff165f5260016020526c0100000000000000000000000060405f2091825401179055565b611c5a907fcd67e6b2000000000000000000000000000000000000000000000000000000005f526133ad565b60245ffd5b506008611a43565b50611c70613444565b6bffffffffffffffffffffffff6040840151911611611a3e565b611c9f6101043560e43561054f61050f614467565b5060048193929310156108485715611cbd5750505060075b82611a2c565b73ffffffffffffffffffffffffffffffffffffffff611cda613367565b1673ffffffffffffffffffffffffffffffffffffffff831603611cff575b5050611cb7565b611d0a925083613eb7565b8280611cf8565b5060046119ec565b50611d226133cc565b73ffffffffffffffffffffffffffffffffffffffff611d3f613367565b165f52600660205260405f2073ffffffffffffffffffffffffffffffffffffffff611d68613344565b165f5260205260405f2061ffff611d7d6133bb565b165f5260205267ffffffffffffffff8060405f205416911611156119e7565b50600b6119d6565b50611dad6133e3565b67ffffffffffffffff80611dbf6133cc565b169116106119d1565b3461027e575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e5760206040517f6a888c25a439f9cfa8f3ecb9c4c091183b9f3076d2b84b3a710c159ddbfaad808152f35b3461027e5760407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e576102de611e5a61313c565b6024359033613848565b3461027e5760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e57604073ffffffffffffffffffffffffffffffffffffffff611eb261313c565b16805f5260016020526bffffffffffffffffffffffff825f205416905f52600160205260ff825f205460601c16825191825215156020820152f35b3461027e577ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36016102c0811261027e576101201361027e576101207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe9c36011261027e57611f59613367565b610164359073ffffffffffffffffffffffffffffffffffffffff82169081830361027e5773ffffffffffffffffffffffffffffffffffffffff1681148015906122da575b80156122b3575b8015612280575b801561224a575b6121ea57611fc46101406110d4613b84565b91611fcd6133fa565b5050610184359073ffffffffffffffffffffffffffffffffffffffff82169182810361027e57506101a4359061ffff82169182810361027e57506101c4359167ffffffffffffffff83169283810361027e57506101e4356bffffffffffffffffffffffff81169081810361027e57506102043567ffffffffffffffff81169081810361027e5750610224359164ffffffffff83169283810361027e5750610264359567ffffffffffffffff87169485880361027e576120f798610140985060405197612098896132b9565b7f6a888c25a439f9cfa8f3ecb9c4c091183b9f3076d2b84b3a710c159ddbfaad808952602089015260408801526060870152608086015260a085015260c084015260e08301526102443561010083015261012082015220610517613537565b80821491821561222d575b508115612212575b506121ea5773ffffffffffffffffffffffffffffffffffffffff61212c613367565b165f52600160205260405f206d01000000000000000000000000007fffffffffffffffffffffffffffffffffffff00ffffffffffffffffffffffffff825416179055612176613367565b61217e613344565b906121876133bb565b67ffffffffffffffff6121986133cc565b61ffff604051931683521660208201527f8b032cec1374c1415714af39143a5920ad870fd8ab59c88ff0ce067df50d9593604073ffffffffffffffffffffffffffffffffffffffff80339616941692a4005b7ff6956d99000000000000000000000000000000000000000000000000000000005f5260045ffd5b61222691506102a4359061028435906143e7565b158161210a565b61224291925061014435906101243590614314565b159082612102565b5073ffffffffffffffffffffffffffffffffffffffff612268613367565b165f52600160205260ff60405f205460681c16611fb2565b506122896133cc565b6101c43567ffffffffffffffff81169182820361027e5767ffffffffffffffff9150161415611fab565b506122bc6133bb565b6101a43561ffff81169182820361027e5761ffff9150161415611fa4565b506122e3613344565b6101843573ffffffffffffffffffffffffffffffffffffffff81169182820361027e5773ffffffffffffffffffffffffffffffffffffffff9150161415611f9d565b3461027e5760e07ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e5760206103c361050f614216565b3461027e5760607ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e5760443567ffffffffffffffff8116810361027e576123b56020916024356004356141e3565b6040519015158152f35b3461027e577ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601610180811261027e576101201361027e576101243561240761192d613344565b61240f6134f6565b805f5260205f2060e4350361271657612426613b84565b906020820173ffffffffffffffffffffffffffffffffffffffff8151165f52600660205260405f2092604081019373ffffffffffffffffffffffffffffffffffffffff80865116165f5260205260405f209173ffffffffffffffffffffffffffffffffffffffff815116936124c873ffffffffffffffffffffffffffffffffffffffff8751169560a08501966bffffffffffffffffffffffff88511691613cc1565b906124d284613d5e565b905f90600c8310156108485782156126cf575b50600c82101561084857811580612698575b612686575b50600c8110156108485780158061266a575b612662575b600c8110156108485780611c2e57509273ffffffffffffffffffffffffffffffffffffffff927f5d165c6aaed16edc1750217aeabf0f837648a2c7401e0917d8b3d2dab98cbc036080856102de99956125ee6bffffffffffffffffffffffff998a8c511661258660408301918251613317565b905284870196606067ffffffffffffffff89511691019861ffff808b5116165f5260205267ffffffffffffffff60405f2091167fffffffffffffffffffffffffffffffffffffffffffffffff000000000000000082541617905583835116848a511691613fab565b51169267ffffffffffffffff61ffff88885116965116915116888a5116906040519283526020830152600160408301526060820152a351169151169073ffffffffffffffffffffffffffffffffffffffff165f5260016020526c0100000000000000000000000060405f2091825401179055565b506008612513565b506bffffffffffffffffffffffff86511660408301511061250e565b61269291508483613eb7565b876124fc565b5073ffffffffffffffffffffffffffffffffffffffff84511673ffffffffffffffffffffffffffffffffffffffff821614156124f7565b9050612710915061ffff80606087015116165f528560205267ffffffffffffffff60405f205416906126ff613537565b916101643591610144359188613df3565b886124e5565b7fcd67e6b2000000000000000000000000000000000000000000000000000000005f52600560045260245ffd5b3461027e575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e5760206040517f2c5cfcffb5be8e7e653f03a5bce3b7c987b4124e9448a3eb6ac620cb73e106568152f35b3461027e5760407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e576127d261313c565b6024359081151580920361027e5773ffffffffffffffffffffffffffffffffffffffff90335f52600760205260405f208282165f5260205260405f207fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff0081541660ff851617905560405192835216907fceb576d9f15e4e200fdb5096d64d5dfd667e16def20c1eefd14256d8e3faa26760203392a3005b3461027e576102de61287a36613182565b91612885338261373e565b50613848565b3461027e575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e57602060405173ffffffffffffffffffffffffffffffffffffffff7f0000000000000000000000000000000000000000000000000000000000000000168152f35b3461027e575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e57335f52600160205261294967ffffffffffffffff60405f205460701c16613324565b335f5260016020526129a08160405f20907fffffffffffffffffffff0000000000000000ffffffffffffffffffffffffffff75ffffffffffffffff000000000000000000000000000083549260701b169116179055565b67ffffffffffffffff604051911681527f663b0e6449820c633f6d9d194944ccc40e3633c1bcb8878cf728c2713ccae7e760203392a2005b3461027e575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e57612a0e613660565b5f5464ffffffffff8160281c16421015612a7f577fffffffffffffffffffffffffffffffffffffffffffff0000000000ffffffffff69ffffffffff00000000004260281b169116175f55337f5db9ee0a495bf2e6ff9c91a7834c1ba4fdd244a5e8aa4e537bd38aeae4b073aa5f80a2005b7f6cd60201000000000000000000000000000000000000000000000000000000005f5260045ffd5b3461027e575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e5760206103c3613537565b3461027e5760407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e57612b1661313c565b6024357f9b779b17422d0df92223018b32b4d1fa46e071723d6817e2486d003becc55f005c612ecd5760017f9b779b17422d0df92223018b32b4d1fa46e071723d6817e2486d003becc55f005d612b6b6134f6565b73ffffffffffffffffffffffffffffffffffffffff7f000000000000000000000000000000000000000000000000000000000000000016918215612ea55773ffffffffffffffffffffffffffffffffffffffff8116928315612e7d5782156102e0576040517f70a08231000000000000000000000000000000000000000000000000000000008152306004820152602081602481855afa908115612df6575f91612e4b575b50604051917f23b872dd000000000000000000000000000000000000000000000000000000005f5233600452306024528460445260205f60648180855af160015f5114811615612e2c575b836040525f60605215612e0157826024816020937f70a082310000000000000000000000000000000000000000000000000000000082523060048301525afa918215612df6575f92612dc2575b5080821115612dbb57612cbb9082613317565b838103612d8b57506bffffffffffffffffffffffff10612d635781612d129173ffffffffffffffffffffffffffffffffffffffff165f5260016020526c0100000000000000000000000060405f2091825401179055565b6040519081527f8752a472e571a816aea92eec8dae9baf628e840f4929fbcc2d155e6233ff68a760203392a35f7f9b779b17422d0df92223018b32b4d1fa46e071723d6817e2486d003becc55f005d005b7f935d630c000000000000000000000000000000000000000000000000000000005f5260045ffd5b83907fad48e590000000000000000000000000000000000000000000000000000000005f5260045260245260445ffd5b505f612cbb565b9091506020813d602011612dee575b81612dde602093836132d6565b8101031261027e57519085612ca8565b3d9150612dd1565b6040513d5f823e3d90fd5b7f5274afe7000000000000000000000000000000000000000000000000000000005f5260045260245ffd5b6001811516612e4257813b15153d151616612c5b565b833d5f823e3d90fd5b90506020813d602011612e75575b81612e66602093836132d6565b8101031261027e575185612c10565b3d9150612e59565b7fd92e233d000000000000000000000000000000000000000000000000000000005f5260045ffd5b7ff170c67f000000000000000000000000000000000000000000000000000000005f5260045ffd5b7f3ee5aeb5000000000000000000000000000000000000000000000000000000005f5260045ffd5b3461027e5760607ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e57612f2c61313c565b612f3461315f565b6044359161ffff8316830361027e5773ffffffffffffffffffffffffffffffffffffffff165f52600660205273ffffffffffffffffffffffffffffffffffffffff60405f2091165f5260205261ffff60405f2091165f52602052602067ffffffffffffffff60405f205416604051908152f35b3461027e5760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261027e57612fde61313c565b335f52600360205260405f2073ffffffffffffffffffffffffffffffffffffffff82165f5260205260405f209064ffffffffff825416904282106130f65761304d7f000000000000000000000000000000000000000000000000000000000000000064ffffffffff4216613265565b64ffffffffff811683116130da575b5082547fffffffffffffffffffffffffffffff00000000000000000000000000000000001664ffffffffff90921691821790925560405190815273ffffffffffffffffffffffffffffffffffffffff919091169033907fd7a2cc5ad46a1b127a8d003c080107747940d09b416eb7f4b595a635b369a95090602090a3005b915073ffffffffffffffffffffffffffffffffffffffff61305c565b73ffffffffffffffffffffffffffffffffffffffff907feebb189f000000000000000000000000000000000000000000000000000000005f52336004521660245260445ffd5b6004359073ffffffffffffffffffffffffffffffffffffffff8216820361027e57565b6024359073ffffffffffffffffffffffffffffffffffffffff8216820361027e57565b7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc606091011261027e5760043573ffffffffffffffffffffffffffffffffffffffff8116810361027e579060243573ffffffffffffffffffffffffffffffffffffffff8116810361027e579060443590565b9181601f8401121561027e5782359167ffffffffffffffff831161027e576020838186019501011161027e57565b907fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0601f602080948051918291828752018686015e5f8582860101520116010190565b9064ffffffffff8091169116019064ffffffffff821161132f57565b6060810190811067ffffffffffffffff8211176108c957604052565b6080810190811067ffffffffffffffff8211176108c957604052565b610140810190811067ffffffffffffffff8211176108c957604052565b90601f7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0910116810190811067ffffffffffffffff8211176108c957604052565b9190820391821161132f57565b67ffffffffffffffff60019116019067ffffffffffffffff821161132f57565b60243573ffffffffffffffffffffffffffffffffffffffff8116810361027e5790565b60043573ffffffffffffffffffffffffffffffffffffffff8116810361027e5790565b60843573ffffffffffffffffffffffffffffffffffffffff8116810361027e5790565b600c81101561084857600452565b60443561ffff8116810361027e5790565b60643567ffffffffffffffff8116810361027e5790565b60843567ffffffffffffffff8116810361027e5790565b60405190613407826132b9565b5f610120838281528260208201528260408201528260608201528260808201528260a08201528260c08201528260e0820152826101008201520152565b60a4356bffffffffffffffffffffffff8116810361027e5790565b6044356bffffffffffffffffffffffff8116810361027e5790565b6064356bffffffffffffffffffffffff8116810361027e5790565b60c43564ffffffffff8116810361027e5790565b604051906134b682613281565b81604064ffffffffff5f548181168452818160281c16602085015260501c16910152565b9064ffffffffff8091169116039064ffffffffff821161132f57565b64ffffffffff5f5460281c1680421061350c5750565b7f8b00ce48000000000000000000000000000000000000000000000000000000005f5260045260245ffd5b73ffffffffffffffffffffffffffffffffffffffff7f000000000000000000000000000000000000000000000000000000000000000016301480613637575b1561359f577f000000000000000000000000000000000000000000000000000000000000000090565b60405160208101907f8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f82527f000000000000000000000000000000000000000000000000000000000000000060408201527f000000000000000000000000000000000000000000000000000000000000000060608201524660808201523060a082015260a0815261363160c0826132d6565b51902090565b507f00000000000000000000000000000000000000000000000000000000000000004614613576565b5f60405f815160208101907fb70096130000000000000000000000000000000000000000000000000000000082523360248201523060448201527fffffffff000000000000000000000000000000000000000000000000000000008335166064820152606481526136d26084826132d6565b8280528260205251907f00000000000000000000000000000000000000000000000000000000000000005afa613736575b1561370a57565b7fae10e1de000000000000000000000000000000000000000000000000000000005f523360045260245ffd5b505f51613703565b73ffffffffffffffffffffffffffffffffffffffff909291925f60606040516137668161329d565b82815282602082015282604082015201521691825f52600360205260405f2073ffffffffffffffffffffffffffffffffffffffff82165f5260205260405f2092604051936137b38561329d565b549364ffffffffff8516948582526bffffffffffffffffffffffff8160281c1660208301526bffffffffffffffffffffffff8160881c16604083015260e81c6060820152934211613802575050565b73ffffffffffffffffffffffffffffffffffffffff92507feebb189f000000000000000000000000000000000000000000000000000000005f526004521660245260445ffd5b73ffffffffffffffffffffffffffffffffffffffff909291921690815f52600260205260405f2073ffffffffffffffffffffffffffffffffffffffff84165f5260205260405f20926040519361389d85613281565b54926bffffffffffffffffffffffff84169283865260208601936bffffffffffffffffffffffff8660601c16855264ffffffffff604088019660c01c168652808211613aca57506bffffffffffffffffffffffff908185511681115f14613a735761394c6139096145ac565b64ffffffffff61394261391b83614f03565b7f000000000000000000000000000000000000000000000000000000000000000090613265565b16908189526145d0565b64ffffffffff60405191838352166020820152837f309f64cfdb8ec37fd591ec203ef6c2ca056697886ef15418bc3bc251e2fd6284604073ffffffffffffffffffffffffffffffffffffffff881693a35b1683525f52600260205273ffffffffffffffffffffffffffffffffffffffff60405f2091165f526020526bffffffffffffffffffffffff8060405f20945116167fffffffffffffffffffffffffffffffffffffffff00000000000000000000000084541617835551907fffffff0000000000000000000000000000000000ffffffffffffffffffffffff77ffffffffffffffffffffffff0000000000000000000000007cffffffffff0000000000000000000000000000000000000000000000008554935160c01b169360601b16911617179055565b8015613ac2575b604051818152837f7b483c6cbf721ef07a0d6f633b2227f2b9db482ca82ebe58fc22aed477a50382602073ffffffffffffffffffffffffffffffffffffffff881693a361399d565b5f8652613a7a565b7faf4956d0000000000000000000000000000000000000000000000000000000005f5260045260245260445ffd5b73ffffffffffffffffffffffffffffffffffffffff16803314159081613b4c575b50613b2057565b7f2e569cea000000000000000000000000000000000000000000000000000000005f523360045260245ffd5b90505f52600760205260405f2073ffffffffffffffffffffffffffffffffffffffff33165f5260205260ff60405f205416155f613b19565b613b8c6133fa565b5060043573ffffffffffffffffffffffffffffffffffffffff81169081810361027e575060243573ffffffffffffffffffffffffffffffffffffffff81169081810361027e575060443561ffff81169081810361027e575060643567ffffffffffffffff81169081810361027e57506084356bffffffffffffffffffffffff81169081810361027e575060a4359167ffffffffffffffff83169283810361027e575060c4359364ffffffffff85169485810361027e5750610104359567ffffffffffffffff87169687810361027e575060405197613c69896132b9565b7f6a888c25a439f9cfa8f3ecb9c4c091183b9f3076d2b84b3a710c159ddbfaad808952602089015260408801526060870152608086015260a085015260c084015260e083015260e43561010083015261012082015290565b909291926040519160e0830183811067ffffffffffffffff8211176108c9576040525f83525f602084015260408301945f8652606084015f81525f60808601525f60a08601525f60c0860152849673ffffffffffffffffffffffffffffffffffffffff84165f5260016020526bffffffffffffffffffffffff60405f20541691828092525280855210613d5357505050565b613d5c92614f54565b565b73ffffffffffffffffffffffffffffffffffffffff60208201511673ffffffffffffffffffffffffffffffffffffffff60408301511614613ded576bffffffffffffffffffffffff60a08201511615613de75760e064ffffffffff910151168042119081613dd5575b50613dd0575f90565b600390565b613ddf9150614dfc565b42115f613dc7565b50600290565b50600190565b94919067ffffffffffffffff6080870151161115613e9e578467ffffffffffffffff613e5c613e689461014060c0992090604291604051917f19010000000000000000000000000000000000000000000000000000000000008352600283015260228201522090565b968792015116916141e3565b15613e9457613e769261456d565b50600481939293101561084857613e8c575f9190565b600791505f90565b5050506006905f90565b50505050506004905f90565b9190820180921161132f57565b91906020810173ffffffffffffffffffffffffffffffffffffffff80825116931692808403613f5e575b5073ffffffffffffffffffffffffffffffffffffffff9160a085015115613f42575b50613f0d84614fcc565b511614801560c0830152613f2a5760406020820151915b01525f90565b6040613f3c8251602084015190613eaa565b91613f24565b613f589083604081855116920151169086614f54565b5f613f03565b5f52600360205260405f20835f5260205264ffffffffff60405f2054168015613fa15764ffffffffff60e08401511611613f98575f613ee1565b50505050600a90565b5050505050600790565b613fb481614fcc565b805160608201518103614183575b506080602082015191015190818103613fdc575b50505050565b6140086bffffffffffffffffffffffff9173ffffffffffffffffffffffffffffffffffffffff93613317565b169116805f52600260205260405f2073ffffffffffffffffffffffffffffffffffffffff84165f5260205260405f20926040519361404585613281565b54916bffffffffffffffffffffffff808460601c16948160208801958260408a01988181115f1461417a578391829103165b16806141695764ffffffffff5f5b168952875216031685525f52600260205273ffffffffffffffffffffffffffffffffffffffff60405f2091165f526020526bffffffffffffffffffffffff8060405f20945116167fffffffffffffffffffffffffffffffffffffffff00000000000000000000000084541617835551907fffffff0000000000000000000000000000000000ffffffffffffffffffffffff77ffffffffffffffffffffffff0000000000000000000000007cffffffffff0000000000000000000000000000000000000000000000008554935160c01b169360601b169116171790555f808080613fd6565b64ffffffffff808360c01c16614085565b5050815f614077565b73ffffffffffffffffffffffffffffffffffffffff83165f5260016020526bffffffffffffffffffffffff8060405f209216167fffffffffffffffffffffffffffffffffffffffff0000000000000000000000008254161790555f613fc2565b5f5260205267ffffffffffffffff8060405f20169116809110908115614207575090565b67ffffffffffffffff91501490565b60405160208101907f2c5cfcffb5be8e7e653f03a5bce3b7c987b4124e9448a3eb6ac620cb73e10656825260043573ffffffffffffffffffffffffffffffffffffffff811680910361027e57604082015260243560608201526044356bffffffffffffffffffffffff811680910361027e5760808201526064356bffffffffffffffffffffffff811680910361027e5760a082015260843573ffffffffffffffffffffffffffffffffffffffff811680910361027e5760c082015260a43567ffffffffffffffff811680910361027e5760e082015260c43564ffffffffff811680910361027e576101008201526101008152613631610120826132d6565b9061431f929161456d565b506004811015610848576143e25760043573ffffffffffffffffffffffffffffffffffffffff81169182820361027e578273ffffffffffffffffffffffffffffffffffffffff8216146143da5760c4359264ffffffffff84169283850361027e57834211159485614393575b505050505090565b90919293945050505f52600360205273ffffffffffffffffffffffffffffffffffffffff60405f2091165f5260205264ffffffffff60405f20541610155f8080808061438b565b505050600190565b505f90565b906143f2929161456d565b506004811015610848576143e2576101643573ffffffffffffffffffffffffffffffffffffffff81169182820361027e578273ffffffffffffffffffffffffffffffffffffffff8216146143da57610224359264ffffffffff84169283850361027e5783421115948561439357505050505090565b60405160208101907f45d394245021e12f47f63c26ced71f597da6b9d32215e49a66c6759b1168cc70825260043573ffffffffffffffffffffffffffffffffffffffff811680910361027e57604082015260243573ffffffffffffffffffffffffffffffffffffffff811680910361027e57606082015260443561ffff811680910361027e57608082015260643567ffffffffffffffff811680910361027e5760a082015260843567ffffffffffffffff811680910361027e5760c082015260a4356bffffffffffffffffffffffff811680910361027e5760e082015260c43564ffffffffff811680910361027e576101008201526101008152613631610120826132d6565b906145a5929160ff601b7f7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff851694821c011690614ff2565b9192909190565b5f604080516145ba81613281565b82815282602082015201526145cd6134a9565b90565b906145f764ffffffffff8351169164ffffffffff6040816020870151169501511690613265565b918164ffffffffff8416105f1461460d57505090565b6145cd929161461b916134da565b90613265565b939291805f9561462f6134f6565b614637613537565b925b614689575050505082158015614680575b6146515750565b827f6bb0794b000000000000000000000000000000000000000000000000000000005f5260045260245260445ffd5b5080831061464a565b90919295605583106147195761ffff6035880135166058810290801590820460581481171561132f5781605501908160551161132f578015614741575b6147195784811161027e578161470b7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffab94614705896055958e8a6150af565b90613eaa565b990101949303019081614639565b7f2b500abf000000000000000000000000000000000000000000000000000000005f5260045ffd5b508085106146c6565b906145cd916bffffffffffffffffffffffff6020820151169062ffffff60606bffffffffffffffffffffffff604084015116920151169161568e565b9073ffffffffffffffffffffffffffffffffffffffff906147a56134f6565b16918215612e7d5773ffffffffffffffffffffffffffffffffffffffff82169182841461489f5781156102e057825f52600160205260ff60405f205460681c1661487357816148177fbe8864d3a5ed38c5e26974fcc84f97fd03d55f6b774d46b844205d5f7b6b5c0b93602093614e40565b835f526002825260405f20855f52825260405f206bffffffffffffffffffffffff80808416818454160116167fffffffffffffffffffffffffffffffffffffffff000000000000000000000000825416179055604051908152a3565b827f5110be24000000000000000000000000000000000000000000000000000000005f5260045260245ffd5b7f9ef1af9e000000000000000000000000000000000000000000000000000000005f5260045ffd5b9073ffffffffffffffffffffffffffffffffffffffff16908115612e7d57308214614a015781907fd1c19fbcd4551a5edfb66d43d2e337c04837afda3482b42bdf569a8fccdae5fb602073ffffffffffffffffffffffffffffffffffffffff604051938785521692a37f000000000000000000000000000000000000000000000000000000000000000073ffffffffffffffffffffffffffffffffffffffff169182156149df57604051917fa9059cbb000000000000000000000000000000000000000000000000000000005f5260045260245260205f60448180865af19060015f51148216156149be575b60405215612e015750565b9060018115166149d657823b15153d151616906149b3565b503d5f823e3d90fd5b5f8093508092918192826040516149f76020826132d6565b525af115614a0157565b7f27fcd9d1000000000000000000000000000000000000000000000000000000005f5260045ffd5b614a316134f6565b73ffffffffffffffffffffffffffffffffffffffff7f000000000000000000000000000000000000000000000000000000000000000016612ea55773ffffffffffffffffffffffffffffffffffffffff8116908115612e7d5734156102e0576bffffffffffffffffffffffff4711612d635773ffffffffffffffffffffffffffffffffffffffff165f908152600160205260409020805434016c010000000000000000000000001790556040513481527f8752a472e571a816aea92eec8dae9baf628e840f4929fbcc2d155e6233ff68a760203392a3565b906bffffffffffffffffffffffff809116911603906bffffffffffffffffffffffff821161132f57565b9190614b3d6134f6565b614b456145ac565b9273ffffffffffffffffffffffffffffffffffffffff811690815f52600260205260405f2073ffffffffffffffffffffffffffffffffffffffff84165f5260205260405f209460405195614b9887613281565b546bffffffffffffffffffffffff811687526bffffffffffffffffffffffff8160601c1691602088019280845264ffffffffff60408a019360c01c16835215614dd45764ffffffffff9182614bec83614f03565b9151169283911610614d9857505094614d5491614c1e6bffffffffffffffffffffffff80985116809881945116614b09565b6bffffffffffffffffffffffff60405191614c3883613281565b168152602081015f815260408201905f8252865f52600260205260405f2073ffffffffffffffffffffffffffffffffffffffff89165f526020526bffffffffffffffffffffffff8060405f20945116167fffffffffffffffffffffffffffffffffffffffff00000000000000000000000084541617835551907fffffff0000000000000000000000000000000000ffffffffffffffffffffffff77ffffffffffffffffffffffff0000000000000000000000007cffffffffff0000000000000000000000000000000000000000000000008554935160c01b169360601b1691161717905573ffffffffffffffffffffffffffffffffffffffff165f5260016020526c0100000000000000000000000060405f2091825401179055565b7fb65d9cb5a09a7a1726fb95c11eb88420d3eb442b2d5eb22ef3a8535c504411ac602073ffffffffffffffffffffffffffffffffffffffff604051948786521693a3565b64ffffffffff91614da8916145d0565b7f686e00f3000000000000000000000000000000000000000000000000000000005f521660045260245ffd5b7faa038c7c000000000000000000000000000000000000000000000000000000005f5260045ffd5b6145cd90614e086145ac565b9064ffffffffff602081845116930151167f0000000000000000000000000000000000000000000000000000000000000000926156d1565b73ffffffffffffffffffffffffffffffffffffffff1690815f5260016020526bffffffffffffffffffffffff60405f205416808211614ed5576bffffffffffffffffffffffff91614e9091613317565b16905f5260016020526bffffffffffffffffffffffff60405f2091167fffffffffffffffffffffffffffffffffffffffff000000000000000000000000825416179055565b7fcf479181000000000000000000000000000000000000000000000000000000005f5260045260245260445ffd5b6145cd90614f4864ffffffffff825116614f4264ffffffffff6040816020870151169501511664ffffffffff4216948086105f14614f4e5750846134da565b926134da565b906134da565b946134da565b919073ffffffffffffffffffffffffffffffffffffffff90600160a0850152165f52600260205273ffffffffffffffffffffffffffffffffffffffff60405f2091165f52602052614fc860406bffffffffffffffffffffffff815f2054169283608082015283602082015201918251613eaa565b9052565b805190614fec6020820192835160408401519060c0850151151592615763565b90925252565b91907f7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a08411615076579160209360809260ff5f9560405194855216868401526040830152606082015282805260015afa15612df6575f5173ffffffffffffffffffffffffffffffffffffffff81161561506c57905f905f90565b505f906001905f90565b5050505f9160039190565b9093929167ffffffffffffffff9061ffff6060840196168352166020820152600c8210156108485760400152565b5f94939192916150bd6133fa565b927f6a888c25a439f9cfa8f3ecb9c4c091183b9f3076d2b84b3a710c159ddbfaad80845273ffffffffffffffffffffffffffffffffffffffff8316604085015284359460168101359561ffff6035830135169664ffffffffff8160781c1660e088015260a01c60a087015261ffff8160501c16606087015260601c602086015260278101355f5260205f2061010086015273ffffffffffffffffffffffffffffffffffffffff6020860151165f52600660205260405f2073ffffffffffffffffffffffffffffffffffffffff85165f5260205260405f209561ffff80606088015116165f528660205267ffffffffffffffff60405f205416915f946151c188613d5e565b92600c84101561084857836155ba5773ffffffffffffffffffffffffffffffffffffffff60208a015116906bffffffffffffffffffffffff60a08b01511681810291818304149015171561132f578861521c92979397613cc1565b9460408601519173ffffffffffffffffffffffffffffffffffffffff60208b015116906055915b8183106153d0575b50505050604085015289156153c3576047013560a01c89106153325750926080926153068273ffffffffffffffffffffffffffffffffffffffff9467ffffffffffffffff7f5d165c6aaed16edc1750217aeabf0f837648a2c7401e0917d8b3d2dab98cbc0398169961ffff8060608c015116165f5260205260405f2067ffffffffffffffff8b167fffffffffffffffffffffffffffffffffffffffffffffffff00000000000000008254161790558560208a01511690613fab565b61ffff6060846020890151169701511696604051978852602088015260408701528760608701521693a3565b949697505050509150600c8110156108485715615350575b50505f90565b7fa0fbfe5eeab2f3b6de06cc6ca25ea351f832190b0e667965a9567e14a1eb6169606073ffffffffffffffffffffffffffffffffffffffff806020860151169367ffffffffffffffff608061ffff8589015116970151166040519687526020870152600960408701521693a35f8061534a565b505f985050505050505050565b9196955091979c92615428898887018d6080823567ffffffffffffffff8160401c1660c084015267ffffffffffffffff81831c1661012084015260c01c9101528d60186038830135920135908a60278b013591613df3565b8197919773ffffffffffffffffffffffffffffffffffffffff851673ffffffffffffffffffffffffffffffffffffffff8316141590816155a8575b50615586575b506bffffffffffffffffffffffff60a08d015116821080615575575b61556c575b600c87101561084857866154db57506001906bffffffffffffffffffffffff60a08d01511680910394019d019767ffffffffffffffff60808c015116966058810180911161132f5791929092615243565b9650929c975050508773ffffffffffffffffffffffffffffffffffffffff6020820151167fa0fbfe5eeab2f3b6de06cc6ca25ea351f832190b0e667965a9567e14a1eb616973ffffffffffffffffffffffffffffffffffffffff8a6155608867ffffffffffffffff608061ffff60608a01511698015116604051948594169784615081565b0390a35f80808061524b565b6008965061548a565b50600c871015610848578615615485565b96509150604088015261559a858b89613eb7565b94604088015190915f615469565b9050600c81101561084857155f615463565b5050909798507fa0fbfe5eeab2f3b6de06cc6ca25ea351f832190b0e667965a9567e14a1eb616995965073ffffffffffffffffffffffffffffffffffffffff949350615630925060559150013560c01c9586608087015261ffff6060856020890151169701511696604051948594169784615081565b0390a35f90565b60ff811690601f821161566657604051916156536040846132d6565b6020808452838101919036833783525290565b7fb3512b0c000000000000000000000000000000000000000000000000000000005f5260045ffd5b92909162ffffff9182169116036156cd576bffffffffffffffffffffffff81166bffffffffffffffffffffffff8316115f1461534a576145cd91614b09565b5090565b92909264ffffffffff81168015908115615752575b50615744579064ffffffffff61571a818061570461572296896134da565b16951694826157138288613eaa565b9716613eaa565b911690613eaa565b80831161573c575b5080821115615737575090565b905090565b91505f61572a565b505064ffffffffff91501690565b905064ffffffffff8416105f6156e6565b939291909161578c57838201039280841015615785578380915b039303900390565b808061577d565b91905056",
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
// Solidity: constructor(address asset, uint40 thawPeriod, address authority) returns()
func (ticketEscrow *TicketEscrow) PackConstructor(asset common.Address, thawPeriod *big.Int, authority common.Address) []byte {
	enc, err := ticketEscrow.abi.Pack("", asset, thawPeriod, authority)
	if err != nil {
		panic(err)
	}
	return enc
}

// PackASSET is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x4800d97f.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function ASSET() view returns(address)
func (ticketEscrow *TicketEscrow) PackASSET() []byte {
	enc, err := ticketEscrow.abi.Pack("ASSET")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackASSET is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x4800d97f.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function ASSET() view returns(address)
func (ticketEscrow *TicketEscrow) TryPackASSET() ([]byte, error) {
	return ticketEscrow.abi.Pack("ASSET")
}

// UnpackASSET is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x4800d97f.
//
// Solidity: function ASSET() view returns(address)
func (ticketEscrow *TicketEscrow) UnpackASSET(data []byte) (common.Address, error) {
	out, err := ticketEscrow.abi.Unpack("ASSET", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackAUTHORITY is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x89fcd796.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function AUTHORITY() view returns(address)
func (ticketEscrow *TicketEscrow) PackAUTHORITY() []byte {
	enc, err := ticketEscrow.abi.Pack("AUTHORITY")
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
func (ticketEscrow *TicketEscrow) TryPackAUTHORITY() ([]byte, error) {
	return ticketEscrow.abi.Pack("AUTHORITY")
}

// UnpackAUTHORITY is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x89fcd796.
//
// Solidity: function AUTHORITY() view returns(address)
func (ticketEscrow *TicketEscrow) UnpackAUTHORITY(data []byte) (common.Address, error) {
	out, err := ticketEscrow.abi.Unpack("AUTHORITY", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
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

// PackMAXPAUSE is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x999d55fb.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_PAUSE() view returns(uint40)
func (ticketEscrow *TicketEscrow) PackMAXPAUSE() []byte {
	enc, err := ticketEscrow.abi.Pack("MAX_PAUSE")
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
func (ticketEscrow *TicketEscrow) TryPackMAXPAUSE() ([]byte, error) {
	return ticketEscrow.abi.Pack("MAX_PAUSE")
}

// UnpackMAXPAUSE is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x999d55fb.
//
// Solidity: function MAX_PAUSE() view returns(uint40)
func (ticketEscrow *TicketEscrow) UnpackMAXPAUSE(data []byte) (*big.Int, error) {
	out, err := ticketEscrow.abi.Unpack("MAX_PAUSE", data)
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
func (ticketEscrow *TicketEscrow) PackMINPAUSEGAP() []byte {
	enc, err := ticketEscrow.abi.Pack("MIN_PAUSE_GAP")
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
func (ticketEscrow *TicketEscrow) TryPackMINPAUSEGAP() ([]byte, error) {
	return ticketEscrow.abi.Pack("MIN_PAUSE_GAP")
}

// UnpackMINPAUSEGAP is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x8d25b3b0.
//
// Solidity: function MIN_PAUSE_GAP() view returns(uint40)
func (ticketEscrow *TicketEscrow) UnpackMINPAUSEGAP(data []byte) (*big.Int, error) {
	out, err := ticketEscrow.abi.Unpack("MIN_PAUSE_GAP", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackREDEEMORDERTYPEHASH is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5908e636.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function REDEEM_ORDER_TYPEHASH() view returns(bytes32)
func (ticketEscrow *TicketEscrow) PackREDEEMORDERTYPEHASH() []byte {
	enc, err := ticketEscrow.abi.Pack("REDEEM_ORDER_TYPEHASH")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackREDEEMORDERTYPEHASH is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5908e636.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function REDEEM_ORDER_TYPEHASH() view returns(bytes32)
func (ticketEscrow *TicketEscrow) TryPackREDEEMORDERTYPEHASH() ([]byte, error) {
	return ticketEscrow.abi.Pack("REDEEM_ORDER_TYPEHASH")
}

// UnpackREDEEMORDERTYPEHASH is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x5908e636.
//
// Solidity: function REDEEM_ORDER_TYPEHASH() view returns(bytes32)
func (ticketEscrow *TicketEscrow) UnpackREDEEMORDERTYPEHASH(data []byte) ([32]byte, error) {
	out, err := ticketEscrow.abi.Unpack("REDEEM_ORDER_TYPEHASH", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackSETTLEMENTTYPEHASH is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb1fb79c0.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function SETTLEMENT_TYPEHASH() view returns(bytes32)
func (ticketEscrow *TicketEscrow) PackSETTLEMENTTYPEHASH() []byte {
	enc, err := ticketEscrow.abi.Pack("SETTLEMENT_TYPEHASH")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSETTLEMENTTYPEHASH is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb1fb79c0.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function SETTLEMENT_TYPEHASH() view returns(bytes32)
func (ticketEscrow *TicketEscrow) TryPackSETTLEMENTTYPEHASH() ([]byte, error) {
	return ticketEscrow.abi.Pack("SETTLEMENT_TYPEHASH")
}

// UnpackSETTLEMENTTYPEHASH is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xb1fb79c0.
//
// Solidity: function SETTLEMENT_TYPEHASH() view returns(bytes32)
func (ticketEscrow *TicketEscrow) UnpackSETTLEMENTTYPEHASH(data []byte) ([32]byte, error) {
	out, err := ticketEscrow.abi.Unpack("SETTLEMENT_TYPEHASH", data)
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

// PackAllocateFrom is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x88016da5.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function allocateFrom(address payer, address recipient, uint256 amount) returns()
func (ticketEscrow *TicketEscrow) PackAllocateFrom(payer common.Address, recipient common.Address, amount *big.Int) []byte {
	enc, err := ticketEscrow.abi.Pack("allocateFrom", payer, recipient, amount)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackAllocateFrom is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x88016da5.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function allocateFrom(address payer, address recipient, uint256 amount) returns()
func (ticketEscrow *TicketEscrow) TryPackAllocateFrom(payer common.Address, recipient common.Address, amount *big.Int) ([]byte, error) {
	return ticketEscrow.abi.Pack("allocateFrom", payer, recipient, amount)
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

// PackCancelOrders is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x460c1a7a.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function cancelOrders() returns()
func (ticketEscrow *TicketEscrow) PackCancelOrders() []byte {
	enc, err := ticketEscrow.abi.Pack("cancelOrders")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCancelOrders is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x460c1a7a.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function cancelOrders() returns()
func (ticketEscrow *TicketEscrow) TryPackCancelOrders() ([]byte, error) {
	return ticketEscrow.abi.Pack("cancelOrders")
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

// PackDepositToken is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x338b5dea.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function depositToken(address owner, uint256 amount) returns()
func (ticketEscrow *TicketEscrow) PackDepositToken(owner common.Address, amount *big.Int) []byte {
	enc, err := ticketEscrow.abi.Pack("depositToken", owner, amount)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackDepositToken is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x338b5dea.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function depositToken(address owner, uint256 amount) returns()
func (ticketEscrow *TicketEscrow) TryPackDepositToken(owner common.Address, amount *big.Int) ([]byte, error) {
	return ticketEscrow.abi.Pack("depositToken", owner, amount)
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

// PackFlagEquivocation is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6f521087.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function flagEquivocation((address,address,uint16,uint64,uint96,uint64,uint40,bytes32,uint64) a, bytes32 rA, bytes32 vsA, (address,address,uint16,uint64,uint96,uint64,uint40,bytes32,uint64) b, bytes32 rB, bytes32 vsB) returns()
func (ticketEscrow *TicketEscrow) PackFlagEquivocation(a ITicketEscrowTicket, rA [32]byte, vsA [32]byte, b ITicketEscrowTicket, rB [32]byte, vsB [32]byte) []byte {
	enc, err := ticketEscrow.abi.Pack("flagEquivocation", a, rA, vsA, b, rB, vsB)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackFlagEquivocation is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6f521087.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function flagEquivocation((address,address,uint16,uint64,uint96,uint64,uint40,bytes32,uint64) a, bytes32 rA, bytes32 vsA, (address,address,uint16,uint64,uint96,uint64,uint40,bytes32,uint64) b, bytes32 rB, bytes32 vsB) returns()
func (ticketEscrow *TicketEscrow) TryPackFlagEquivocation(a ITicketEscrowTicket, rA [32]byte, vsA [32]byte, b ITicketEscrowTicket, rB [32]byte, vsB [32]byte) ([]byte, error) {
	return ticketEscrow.abi.Pack("flagEquivocation", a, rA, vsA, b, rB, vsB)
}

// PackIsFlagged is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xfef48a99.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function isFlagged(address payer) view returns(bool)
func (ticketEscrow *TicketEscrow) PackIsFlagged(payer common.Address) []byte {
	enc, err := ticketEscrow.abi.Pack("isFlagged", payer)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackIsFlagged is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xfef48a99.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function isFlagged(address payer) view returns(bool)
func (ticketEscrow *TicketEscrow) TryPackIsFlagged(payer common.Address) ([]byte, error) {
	return ticketEscrow.abi.Pack("isFlagged", payer)
}

// UnpackIsFlagged is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xfef48a99.
//
// Solidity: function isFlagged(address payer) view returns(bool)
func (ticketEscrow *TicketEscrow) UnpackIsFlagged(data []byte) (bool, error) {
	out, err := ticketEscrow.abi.Unpack("isFlagged", data)
	if err != nil {
		return *new(bool), err
	}
	out0 := *abi.ConvertType(out[0], new(bool)).(*bool)
	return out0, nil
}

// PackIsOperator is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb6363cf2.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function isOperator(address recipient, address operator) view returns(bool)
func (ticketEscrow *TicketEscrow) PackIsOperator(recipient common.Address, operator common.Address) []byte {
	enc, err := ticketEscrow.abi.Pack("isOperator", recipient, operator)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackIsOperator is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb6363cf2.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function isOperator(address recipient, address operator) view returns(bool)
func (ticketEscrow *TicketEscrow) TryPackIsOperator(recipient common.Address, operator common.Address) ([]byte, error) {
	return ticketEscrow.abi.Pack("isOperator", recipient, operator)
}

// UnpackIsOperator is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xb6363cf2.
//
// Solidity: function isOperator(address recipient, address operator) view returns(bool)
func (ticketEscrow *TicketEscrow) UnpackIsOperator(data []byte) (bool, error) {
	out, err := ticketEscrow.abi.Unpack("isOperator", data)
	if err != nil {
		return *new(bool), err
	}
	out0 := *abi.ConvertType(out[0], new(bool)).(*bool)
	return out0, nil
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

// PackLastPause is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7faf6a79.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function lastPause() view returns(uint40 start, uint40 end)
func (ticketEscrow *TicketEscrow) PackLastPause() []byte {
	enc, err := ticketEscrow.abi.Pack("lastPause")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackLastPause is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7faf6a79.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function lastPause() view returns(uint40 start, uint40 end)
func (ticketEscrow *TicketEscrow) TryPackLastPause() ([]byte, error) {
	return ticketEscrow.abi.Pack("lastPause")
}

// LastPauseOutput serves as a container for the return parameters of contract
// method LastPause.
type LastPauseOutput struct {
	Start *big.Int
	End   *big.Int
}

// UnpackLastPause is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x7faf6a79.
//
// Solidity: function lastPause() view returns(uint40 start, uint40 end)
func (ticketEscrow *TicketEscrow) UnpackLastPause(data []byte) (LastPauseOutput, error) {
	out, err := ticketEscrow.abi.Unpack("lastPause", data)
	outstruct := new(LastPauseOutput)
	if err != nil {
		return *outstruct, err
	}
	outstruct.Start = abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	outstruct.End = abi.ConvertType(out[1], new(big.Int)).(*big.Int)
	return *outstruct, nil
}

// PackOrderNonce is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe47937f0.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function orderNonce(address recipient) view returns(uint64)
func (ticketEscrow *TicketEscrow) PackOrderNonce(recipient common.Address) []byte {
	enc, err := ticketEscrow.abi.Pack("orderNonce", recipient)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackOrderNonce is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe47937f0.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function orderNonce(address recipient) view returns(uint64)
func (ticketEscrow *TicketEscrow) TryPackOrderNonce(recipient common.Address) ([]byte, error) {
	return ticketEscrow.abi.Pack("orderNonce", recipient)
}

// UnpackOrderNonce is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xe47937f0.
//
// Solidity: function orderNonce(address recipient) view returns(uint64)
func (ticketEscrow *TicketEscrow) UnpackOrderNonce(data []byte) (uint64, error) {
	out, err := ticketEscrow.abi.Unpack("orderNonce", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackPause is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8456cb59.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function pause() returns()
func (ticketEscrow *TicketEscrow) PackPause() []byte {
	enc, err := ticketEscrow.abi.Pack("pause")
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
func (ticketEscrow *TicketEscrow) TryPackPause() ([]byte, error) {
	return ticketEscrow.abi.Pack("pause")
}

// PackPayableUntil is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe3cf2d98.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function payableUntil(uint40 expiry) view returns(uint256)
func (ticketEscrow *TicketEscrow) PackPayableUntil(expiry *big.Int) []byte {
	enc, err := ticketEscrow.abi.Pack("payableUntil", expiry)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackPayableUntil is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe3cf2d98.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function payableUntil(uint40 expiry) view returns(uint256)
func (ticketEscrow *TicketEscrow) TryPackPayableUntil(expiry *big.Int) ([]byte, error) {
	return ticketEscrow.abi.Pack("payableUntil", expiry)
}

// UnpackPayableUntil is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xe3cf2d98.
//
// Solidity: function payableUntil(uint40 expiry) view returns(uint256)
func (ticketEscrow *TicketEscrow) UnpackPayableUntil(data []byte) (*big.Int, error) {
	out, err := ticketEscrow.abi.Unpack("payableUntil", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
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

// PackRedeemBatchOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x836d88b8.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function redeemBatchOf(address recipient, bytes runs, uint256 minTotal) returns(uint256 paid)
func (ticketEscrow *TicketEscrow) PackRedeemBatchOf(recipient common.Address, runs []byte, minTotal *big.Int) []byte {
	enc, err := ticketEscrow.abi.Pack("redeemBatchOf", recipient, runs, minTotal)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRedeemBatchOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x836d88b8.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function redeemBatchOf(address recipient, bytes runs, uint256 minTotal) returns(uint256 paid)
func (ticketEscrow *TicketEscrow) TryPackRedeemBatchOf(recipient common.Address, runs []byte, minTotal *big.Int) ([]byte, error) {
	return ticketEscrow.abi.Pack("redeemBatchOf", recipient, runs, minTotal)
}

// UnpackRedeemBatchOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x836d88b8.
//
// Solidity: function redeemBatchOf(address recipient, bytes runs, uint256 minTotal) returns(uint256 paid)
func (ticketEscrow *TicketEscrow) UnpackRedeemBatchOf(data []byte) (*big.Int, error) {
	out, err := ticketEscrow.abi.Unpack("redeemBatchOf", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackRedeemBatchTo is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x922273c0.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function redeemBatchTo(bytes runs, uint256 minTotal, address to) returns(uint256 paid)
func (ticketEscrow *TicketEscrow) PackRedeemBatchTo(runs []byte, minTotal *big.Int, to common.Address) []byte {
	enc, err := ticketEscrow.abi.Pack("redeemBatchTo", runs, minTotal, to)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRedeemBatchTo is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x922273c0.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function redeemBatchTo(bytes runs, uint256 minTotal, address to) returns(uint256 paid)
func (ticketEscrow *TicketEscrow) TryPackRedeemBatchTo(runs []byte, minTotal *big.Int, to common.Address) ([]byte, error) {
	return ticketEscrow.abi.Pack("redeemBatchTo", runs, minTotal, to)
}

// UnpackRedeemBatchTo is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x922273c0.
//
// Solidity: function redeemBatchTo(bytes runs, uint256 minTotal, address to) returns(uint256 paid)
func (ticketEscrow *TicketEscrow) UnpackRedeemBatchTo(data []byte) (*big.Int, error) {
	out, err := ticketEscrow.abi.Unpack("redeemBatchTo", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackRedeemFor is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd3189fa9.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function redeemFor((address,bytes32,uint96,uint96,address,uint64,uint40) order, bytes runs, bytes32 r, bytes32 vs) returns(uint256 paid)
func (ticketEscrow *TicketEscrow) PackRedeemFor(order ITicketEscrowRedeemOrder, runs []byte, r [32]byte, vs [32]byte) []byte {
	enc, err := ticketEscrow.abi.Pack("redeemFor", order, runs, r, vs)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRedeemFor is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd3189fa9.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function redeemFor((address,bytes32,uint96,uint96,address,uint64,uint40) order, bytes runs, bytes32 r, bytes32 vs) returns(uint256 paid)
func (ticketEscrow *TicketEscrow) TryPackRedeemFor(order ITicketEscrowRedeemOrder, runs []byte, r [32]byte, vs [32]byte) ([]byte, error) {
	return ticketEscrow.abi.Pack("redeemFor", order, runs, r, vs)
}

// UnpackRedeemFor is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xd3189fa9.
//
// Solidity: function redeemFor((address,bytes32,uint96,uint96,address,uint64,uint40) order, bytes runs, bytes32 r, bytes32 vs) returns(uint256 paid)
func (ticketEscrow *TicketEscrow) UnpackRedeemFor(data []byte) (*big.Int, error) {
	out, err := ticketEscrow.abi.Unpack("redeemFor", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackRedeemOrderDigest is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6d2f540a.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function redeemOrderDigest((address,bytes32,uint96,uint96,address,uint64,uint40) order) view returns(bytes32)
func (ticketEscrow *TicketEscrow) PackRedeemOrderDigest(order ITicketEscrowRedeemOrder) []byte {
	enc, err := ticketEscrow.abi.Pack("redeemOrderDigest", order)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRedeemOrderDigest is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6d2f540a.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function redeemOrderDigest((address,bytes32,uint96,uint96,address,uint64,uint40) order) view returns(bytes32)
func (ticketEscrow *TicketEscrow) TryPackRedeemOrderDigest(order ITicketEscrowRedeemOrder) ([]byte, error) {
	return ticketEscrow.abi.Pack("redeemOrderDigest", order)
}

// UnpackRedeemOrderDigest is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x6d2f540a.
//
// Solidity: function redeemOrderDigest((address,bytes32,uint96,uint96,address,uint64,uint40) order) view returns(bytes32)
func (ticketEscrow *TicketEscrow) UnpackRedeemOrderDigest(data []byte) ([32]byte, error) {
	out, err := ticketEscrow.abi.Unpack("redeemOrderDigest", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
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

// PackReleaseAllocationOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd10230ab.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function releaseAllocationOf(address payer, address recipient) returns(uint256 released)
func (ticketEscrow *TicketEscrow) PackReleaseAllocationOf(payer common.Address, recipient common.Address) []byte {
	enc, err := ticketEscrow.abi.Pack("releaseAllocationOf", payer, recipient)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackReleaseAllocationOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd10230ab.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function releaseAllocationOf(address payer, address recipient) returns(uint256 released)
func (ticketEscrow *TicketEscrow) TryPackReleaseAllocationOf(payer common.Address, recipient common.Address) ([]byte, error) {
	return ticketEscrow.abi.Pack("releaseAllocationOf", payer, recipient)
}

// UnpackReleaseAllocationOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xd10230ab.
//
// Solidity: function releaseAllocationOf(address payer, address recipient) returns(uint256 released)
func (ticketEscrow *TicketEscrow) UnpackReleaseAllocationOf(data []byte) (*big.Int, error) {
	out, err := ticketEscrow.abi.Unpack("releaseAllocationOf", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackRevokeSession is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x1fa5d6a4.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function revokeSession(address signer) returns()
func (ticketEscrow *TicketEscrow) PackRevokeSession(signer common.Address) []byte {
	enc, err := ticketEscrow.abi.Pack("revokeSession", signer)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRevokeSession is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x1fa5d6a4.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function revokeSession(address signer) returns()
func (ticketEscrow *TicketEscrow) TryPackRevokeSession(signer common.Address) ([]byte, error) {
	return ticketEscrow.abi.Pack("revokeSession", signer)
}

// PackSession is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb5139e6e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function session(address payer, address signer) view returns(uint40 validUntil, uint96 dailyCap, uint96 left)
func (ticketEscrow *TicketEscrow) PackSession(payer common.Address, signer common.Address) []byte {
	enc, err := ticketEscrow.abi.Pack("session", payer, signer)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSession is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb5139e6e.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function session(address payer, address signer) view returns(uint40 validUntil, uint96 dailyCap, uint96 left)
func (ticketEscrow *TicketEscrow) TryPackSession(payer common.Address, signer common.Address) ([]byte, error) {
	return ticketEscrow.abi.Pack("session", payer, signer)
}

// SessionOutput serves as a container for the return parameters of contract
// method Session.
type SessionOutput struct {
	ValidUntil *big.Int
	DailyCap   *big.Int
	Left       *big.Int
}

// UnpackSession is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xb5139e6e.
//
// Solidity: function session(address payer, address signer) view returns(uint40 validUntil, uint96 dailyCap, uint96 left)
func (ticketEscrow *TicketEscrow) UnpackSession(data []byte) (SessionOutput, error) {
	out, err := ticketEscrow.abi.Unpack("session", data)
	outstruct := new(SessionOutput)
	if err != nil {
		return *outstruct, err
	}
	outstruct.ValidUntil = abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	outstruct.DailyCap = abi.ConvertType(out[1], new(big.Int)).(*big.Int)
	outstruct.Left = abi.ConvertType(out[2], new(big.Int)).(*big.Int)
	return *outstruct, nil
}

// PackSetOperator is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x558a7297.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function setOperator(address operator, bool allowed) returns()
func (ticketEscrow *TicketEscrow) PackSetOperator(operator common.Address, allowed bool) []byte {
	enc, err := ticketEscrow.abi.Pack("setOperator", operator, allowed)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSetOperator is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x558a7297.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function setOperator(address operator, bool allowed) returns()
func (ticketEscrow *TicketEscrow) TryPackSetOperator(operator common.Address, allowed bool) ([]byte, error) {
	return ticketEscrow.abi.Pack("setOperator", operator, allowed)
}

// PackSetSession is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc088e8d3.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function setSession(address signer, uint40 validUntil, uint96 dailyCap) returns()
func (ticketEscrow *TicketEscrow) PackSetSession(signer common.Address, validUntil *big.Int, dailyCap *big.Int) []byte {
	enc, err := ticketEscrow.abi.Pack("setSession", signer, validUntil, dailyCap)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSetSession is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc088e8d3.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function setSession(address signer, uint40 validUntil, uint96 dailyCap) returns()
func (ticketEscrow *TicketEscrow) TryPackSetSession(signer common.Address, validUntil *big.Int, dailyCap *big.Int) ([]byte, error) {
	return ticketEscrow.abi.Pack("setSession", signer, validUntil, dailyCap)
}

// PackSettle is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x78c4a530.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function settle((address,address,uint16,uint64,uint64,uint96,uint40) s, bytes32 r, bytes32 vs) returns()
func (ticketEscrow *TicketEscrow) PackSettle(s ITicketEscrowSettlement, r [32]byte, vs [32]byte) []byte {
	enc, err := ticketEscrow.abi.Pack("settle", s, r, vs)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSettle is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x78c4a530.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function settle((address,address,uint16,uint64,uint64,uint96,uint40) s, bytes32 r, bytes32 vs) returns()
func (ticketEscrow *TicketEscrow) TryPackSettle(s ITicketEscrowSettlement, r [32]byte, vs [32]byte) ([]byte, error) {
	return ticketEscrow.abi.Pack("settle", s, r, vs)
}

// PackSettlementDigest is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8f605799.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function settlementDigest((address,address,uint16,uint64,uint64,uint96,uint40) settlement) view returns(bytes32)
func (ticketEscrow *TicketEscrow) PackSettlementDigest(settlement ITicketEscrowSettlement) []byte {
	enc, err := ticketEscrow.abi.Pack("settlementDigest", settlement)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSettlementDigest is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8f605799.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function settlementDigest((address,address,uint16,uint64,uint64,uint96,uint40) settlement) view returns(bytes32)
func (ticketEscrow *TicketEscrow) TryPackSettlementDigest(settlement ITicketEscrowSettlement) ([]byte, error) {
	return ticketEscrow.abi.Pack("settlementDigest", settlement)
}

// UnpackSettlementDigest is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x8f605799.
//
// Solidity: function settlementDigest((address,address,uint16,uint64,uint64,uint96,uint40) settlement) view returns(bytes32)
func (ticketEscrow *TicketEscrow) UnpackSettlementDigest(data []byte) ([32]byte, error) {
	out, err := ticketEscrow.abi.Unpack("settlementDigest", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
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

// PackThawAllocationOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x54080471.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function thawAllocationOf(address payer, address recipient, uint256 amount) returns()
func (ticketEscrow *TicketEscrow) PackThawAllocationOf(payer common.Address, recipient common.Address, amount *big.Int) []byte {
	enc, err := ticketEscrow.abi.Pack("thawAllocationOf", payer, recipient, amount)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackThawAllocationOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x54080471.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function thawAllocationOf(address payer, address recipient, uint256 amount) returns()
func (ticketEscrow *TicketEscrow) TryPackThawAllocationOf(payer common.Address, recipient common.Address, amount *big.Int) ([]byte, error) {
	return ticketEscrow.abi.Pack("thawAllocationOf", payer, recipient, amount)
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

// PackUnpause is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x3f4ba83a.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function unpause() returns()
func (ticketEscrow *TicketEscrow) PackUnpause() []byte {
	enc, err := ticketEscrow.abi.Pack("unpause")
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
func (ticketEscrow *TicketEscrow) TryPackUnpause() ([]byte, error) {
	return ticketEscrow.abi.Pack("unpause")
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

// TicketEscrowOperatorSet represents a OperatorSet event raised by the TicketEscrow contract.
type TicketEscrowOperatorSet struct {
	Recipient common.Address
	Operator  common.Address
	Allowed   bool
	Raw       *types.Log // Blockchain specific contextual infos
}

const TicketEscrowOperatorSetEventName = "OperatorSet"

// ContractEventName returns the user-defined event name.
func (TicketEscrowOperatorSet) ContractEventName() string {
	return TicketEscrowOperatorSetEventName
}

// UnpackOperatorSetEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event OperatorSet(address indexed recipient, address indexed operator, bool allowed)
func (ticketEscrow *TicketEscrow) UnpackOperatorSetEvent(log *types.Log) (*TicketEscrowOperatorSet, error) {
	event := "OperatorSet"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ticketEscrow.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TicketEscrowOperatorSet)
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

// TicketEscrowOrderRelayed represents a OrderRelayed event raised by the TicketEscrow contract.
type TicketEscrowOrderRelayed struct {
	Recipient  common.Address
	Relayer    common.Address
	OrderNonce uint64
	Fee        *big.Int
	Raw        *types.Log // Blockchain specific contextual infos
}

const TicketEscrowOrderRelayedEventName = "OrderRelayed"

// ContractEventName returns the user-defined event name.
func (TicketEscrowOrderRelayed) ContractEventName() string {
	return TicketEscrowOrderRelayedEventName
}

// UnpackOrderRelayedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event OrderRelayed(address indexed recipient, address indexed relayer, uint64 orderNonce, uint256 fee)
func (ticketEscrow *TicketEscrow) UnpackOrderRelayedEvent(log *types.Log) (*TicketEscrowOrderRelayed, error) {
	event := "OrderRelayed"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ticketEscrow.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TicketEscrowOrderRelayed)
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

// TicketEscrowOrdersCancelled represents a OrdersCancelled event raised by the TicketEscrow contract.
type TicketEscrowOrdersCancelled struct {
	Recipient  common.Address
	OrderNonce uint64
	Raw        *types.Log // Blockchain specific contextual infos
}

const TicketEscrowOrdersCancelledEventName = "OrdersCancelled"

// ContractEventName returns the user-defined event name.
func (TicketEscrowOrdersCancelled) ContractEventName() string {
	return TicketEscrowOrdersCancelledEventName
}

// UnpackOrdersCancelledEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event OrdersCancelled(address indexed recipient, uint64 orderNonce)
func (ticketEscrow *TicketEscrow) UnpackOrdersCancelledEvent(log *types.Log) (*TicketEscrowOrdersCancelled, error) {
	event := "OrdersCancelled"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ticketEscrow.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TicketEscrowOrdersCancelled)
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

// TicketEscrowPairSettled represents a PairSettled event raised by the TicketEscrow contract.
type TicketEscrowPairSettled struct {
	Payer     common.Address
	Recipient common.Address
	Lane      uint16
	FromNonce uint64
	ToNonce   uint64
	Amount    *big.Int
	Raw       *types.Log // Blockchain specific contextual infos
}

const TicketEscrowPairSettledEventName = "PairSettled"

// ContractEventName returns the user-defined event name.
func (TicketEscrowPairSettled) ContractEventName() string {
	return TicketEscrowPairSettledEventName
}

// UnpackPairSettledEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event PairSettled(address indexed payer, address indexed recipient, uint16 lane, uint64 fromNonce, uint64 toNonce, uint256 amount)
func (ticketEscrow *TicketEscrow) UnpackPairSettledEvent(log *types.Log) (*TicketEscrowPairSettled, error) {
	event := "PairSettled"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ticketEscrow.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TicketEscrowPairSettled)
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

// TicketEscrowPaused represents a Paused event raised by the TicketEscrow contract.
type TicketEscrowPaused struct {
	By  common.Address
	End *big.Int
	Raw *types.Log // Blockchain specific contextual infos
}

const TicketEscrowPausedEventName = "Paused"

// ContractEventName returns the user-defined event name.
func (TicketEscrowPaused) ContractEventName() string {
	return TicketEscrowPausedEventName
}

// UnpackPausedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Paused(address indexed by, uint256 end)
func (ticketEscrow *TicketEscrow) UnpackPausedEvent(log *types.Log) (*TicketEscrowPaused, error) {
	event := "Paused"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ticketEscrow.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TicketEscrowPaused)
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

// TicketEscrowPayerFlagged represents a PayerFlagged event raised by the TicketEscrow contract.
type TicketEscrowPayerFlagged struct {
	Payer     common.Address
	Recipient common.Address
	Reporter  common.Address
	Lane      uint16
	Nonce     uint64
	Raw       *types.Log // Blockchain specific contextual infos
}

const TicketEscrowPayerFlaggedEventName = "PayerFlagged"

// ContractEventName returns the user-defined event name.
func (TicketEscrowPayerFlagged) ContractEventName() string {
	return TicketEscrowPayerFlaggedEventName
}

// UnpackPayerFlaggedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event PayerFlagged(address indexed payer, address indexed recipient, address indexed reporter, uint16 lane, uint64 nonce)
func (ticketEscrow *TicketEscrow) UnpackPayerFlaggedEvent(log *types.Log) (*TicketEscrowPayerFlagged, error) {
	event := "PayerFlagged"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ticketEscrow.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TicketEscrowPayerFlagged)
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

// TicketEscrowSessionRevoked represents a SessionRevoked event raised by the TicketEscrow contract.
type TicketEscrowSessionRevoked struct {
	Payer      common.Address
	Signer     common.Address
	ValidUntil *big.Int
	Raw        *types.Log // Blockchain specific contextual infos
}

const TicketEscrowSessionRevokedEventName = "SessionRevoked"

// ContractEventName returns the user-defined event name.
func (TicketEscrowSessionRevoked) ContractEventName() string {
	return TicketEscrowSessionRevokedEventName
}

// UnpackSessionRevokedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event SessionRevoked(address indexed payer, address indexed signer, uint40 validUntil)
func (ticketEscrow *TicketEscrow) UnpackSessionRevokedEvent(log *types.Log) (*TicketEscrowSessionRevoked, error) {
	event := "SessionRevoked"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ticketEscrow.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TicketEscrowSessionRevoked)
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

// TicketEscrowSessionSet represents a SessionSet event raised by the TicketEscrow contract.
type TicketEscrowSessionSet struct {
	Payer      common.Address
	Signer     common.Address
	ValidUntil *big.Int
	DailyCap   *big.Int
	Raw        *types.Log // Blockchain specific contextual infos
}

const TicketEscrowSessionSetEventName = "SessionSet"

// ContractEventName returns the user-defined event name.
func (TicketEscrowSessionSet) ContractEventName() string {
	return TicketEscrowSessionSetEventName
}

// UnpackSessionSetEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event SessionSet(address indexed payer, address indexed signer, uint40 validUntil, uint96 dailyCap)
func (ticketEscrow *TicketEscrow) UnpackSessionSetEvent(log *types.Log) (*TicketEscrowSessionSet, error) {
	event := "SessionSet"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ticketEscrow.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TicketEscrowSessionSet)
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

// TicketEscrowUnpaused represents a Unpaused event raised by the TicketEscrow contract.
type TicketEscrowUnpaused struct {
	By  common.Address
	Raw *types.Log // Blockchain specific contextual infos
}

const TicketEscrowUnpausedEventName = "Unpaused"

// ContractEventName returns the user-defined event name.
func (TicketEscrowUnpaused) ContractEventName() string {
	return TicketEscrowUnpausedEventName
}

// UnpackUnpausedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Unpaused(address indexed by)
func (ticketEscrow *TicketEscrow) UnpackUnpausedEvent(log *types.Log) (*TicketEscrowUnpaused, error) {
	event := "Unpaused"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != ticketEscrow.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TicketEscrowUnpaused)
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
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["NoEquivocation"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackNoEquivocationError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["NotPaused"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackNotPausedError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["NotRecipient"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackNotRecipientError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["NothingThawing"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackNothingThawingError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["OrderExpired"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackOrderExpiredError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["OrderMismatch"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackOrderMismatchError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["OrderNonceWrong"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackOrderNonceWrongError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["OrderSignatureInvalid"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackOrderSignatureInvalidError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["PaidBelowMinimum"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackPaidBelowMinimumError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["PausedTooRecently"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackPausedTooRecentlyError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["PausedUntil"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackPausedUntilError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["PayerIsFlagged"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackPayerIsFlaggedError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["ReentrancyGuardReentrantCall"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackReentrancyGuardReentrantCallError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["SafeERC20FailedOperation"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackSafeERC20FailedOperationError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["SelfAllocation"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackSelfAllocationError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["SessionCapExceeded"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackSessionCapExceededError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["SessionInvalid"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackSessionInvalidError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["SessionShortened"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackSessionShortenedError(raw[4:])
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
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["TransferMismatch"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackTransferMismatchError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["Unauthorised"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackUnauthorisedError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["WithdrawalFailed"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackWithdrawalFailedError(raw[4:])
	}
	if bytes.Equal(raw[:4], ticketEscrow.abi.Errors["WrongAsset"].ID.Bytes()[:4]) {
		return ticketEscrow.UnpackWrongAssetError(raw[4:])
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

// TicketEscrowNoEquivocation represents a NoEquivocation error raised by the TicketEscrow contract.
type TicketEscrowNoEquivocation struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NoEquivocation()
func TicketEscrowNoEquivocationErrorID() common.Hash {
	return common.HexToHash("0xf6956d99459153f0888a509b9ac0f632261231eb030ffc05ba465140990de07f")
}

// UnpackNoEquivocationError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NoEquivocation()
func (ticketEscrow *TicketEscrow) UnpackNoEquivocationError(raw []byte) (*TicketEscrowNoEquivocation, error) {
	out := new(TicketEscrowNoEquivocation)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "NoEquivocation", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TicketEscrowNotPaused represents a NotPaused error raised by the TicketEscrow contract.
type TicketEscrowNotPaused struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotPaused()
func TicketEscrowNotPausedErrorID() common.Hash {
	return common.HexToHash("0x6cd602013233635730773e15e89b8a778034d859147e8f706bcd1aa42e228e06")
}

// UnpackNotPausedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotPaused()
func (ticketEscrow *TicketEscrow) UnpackNotPausedError(raw []byte) (*TicketEscrowNotPaused, error) {
	out := new(TicketEscrowNotPaused)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "NotPaused", raw); err != nil {
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

// TicketEscrowOrderExpired represents a OrderExpired error raised by the TicketEscrow contract.
type TicketEscrowOrderExpired struct {
	Deadline *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error OrderExpired(uint256 deadline)
func TicketEscrowOrderExpiredErrorID() common.Hash {
	return common.HexToHash("0x1ad308dc7017610c82d08084545f7176df5e2f08f078c3c8f8926cd7e5555514")
}

// UnpackOrderExpiredError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error OrderExpired(uint256 deadline)
func (ticketEscrow *TicketEscrow) UnpackOrderExpiredError(raw []byte) (*TicketEscrowOrderExpired, error) {
	out := new(TicketEscrowOrderExpired)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "OrderExpired", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TicketEscrowOrderMismatch represents a OrderMismatch error raised by the TicketEscrow contract.
type TicketEscrowOrderMismatch struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error OrderMismatch()
func TicketEscrowOrderMismatchErrorID() common.Hash {
	return common.HexToHash("0x05bbc7b832fec47d9e3668499e1ae104aee2eec921c8b5b5280e35bd4cd9ef31")
}

// UnpackOrderMismatchError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error OrderMismatch()
func (ticketEscrow *TicketEscrow) UnpackOrderMismatchError(raw []byte) (*TicketEscrowOrderMismatch, error) {
	out := new(TicketEscrowOrderMismatch)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "OrderMismatch", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TicketEscrowOrderNonceWrong represents a OrderNonceWrong error raised by the TicketEscrow contract.
type TicketEscrowOrderNonceWrong struct {
	Expected *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error OrderNonceWrong(uint256 expected)
func TicketEscrowOrderNonceWrongErrorID() common.Hash {
	return common.HexToHash("0xc8f3e55158c2df9fb7a40cb6a428aefd3ddd0837195f9ff9ca4db43c1c91a28d")
}

// UnpackOrderNonceWrongError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error OrderNonceWrong(uint256 expected)
func (ticketEscrow *TicketEscrow) UnpackOrderNonceWrongError(raw []byte) (*TicketEscrowOrderNonceWrong, error) {
	out := new(TicketEscrowOrderNonceWrong)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "OrderNonceWrong", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TicketEscrowOrderSignatureInvalid represents a OrderSignatureInvalid error raised by the TicketEscrow contract.
type TicketEscrowOrderSignatureInvalid struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error OrderSignatureInvalid()
func TicketEscrowOrderSignatureInvalidErrorID() common.Hash {
	return common.HexToHash("0x9cd3191d58f000d58745b705dbe773ff994a2a625675d499d33118f75d558326")
}

// UnpackOrderSignatureInvalidError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error OrderSignatureInvalid()
func (ticketEscrow *TicketEscrow) UnpackOrderSignatureInvalidError(raw []byte) (*TicketEscrowOrderSignatureInvalid, error) {
	out := new(TicketEscrowOrderSignatureInvalid)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "OrderSignatureInvalid", raw); err != nil {
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

// TicketEscrowPausedTooRecently represents a PausedTooRecently error raised by the TicketEscrow contract.
type TicketEscrowPausedTooRecently struct {
	PossibleFrom *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error PausedTooRecently(uint256 possibleFrom)
func TicketEscrowPausedTooRecentlyErrorID() common.Hash {
	return common.HexToHash("0x79abcd725bcf056c3f7910b17d0cbbf183c88335b04d07c4017f24da0a1b1f93")
}

// UnpackPausedTooRecentlyError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error PausedTooRecently(uint256 possibleFrom)
func (ticketEscrow *TicketEscrow) UnpackPausedTooRecentlyError(raw []byte) (*TicketEscrowPausedTooRecently, error) {
	out := new(TicketEscrowPausedTooRecently)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "PausedTooRecently", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TicketEscrowPausedUntil represents a PausedUntil error raised by the TicketEscrow contract.
type TicketEscrowPausedUntil struct {
	End *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error PausedUntil(uint256 end)
func TicketEscrowPausedUntilErrorID() common.Hash {
	return common.HexToHash("0x8b00ce48db245d0eb08e3afe42da49e72928dad89be0632e978e09be3f882a1e")
}

// UnpackPausedUntilError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error PausedUntil(uint256 end)
func (ticketEscrow *TicketEscrow) UnpackPausedUntilError(raw []byte) (*TicketEscrowPausedUntil, error) {
	out := new(TicketEscrowPausedUntil)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "PausedUntil", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TicketEscrowPayerIsFlagged represents a PayerIsFlagged error raised by the TicketEscrow contract.
type TicketEscrowPayerIsFlagged struct {
	Payer common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error PayerIsFlagged(address payer)
func TicketEscrowPayerIsFlaggedErrorID() common.Hash {
	return common.HexToHash("0x5110be244ae849240cf97bff6d0842be5870e6c8129ce44593ef45fd4d686b2a")
}

// UnpackPayerIsFlaggedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error PayerIsFlagged(address payer)
func (ticketEscrow *TicketEscrow) UnpackPayerIsFlaggedError(raw []byte) (*TicketEscrowPayerIsFlagged, error) {
	out := new(TicketEscrowPayerIsFlagged)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "PayerIsFlagged", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TicketEscrowReentrancyGuardReentrantCall represents a ReentrancyGuardReentrantCall error raised by the TicketEscrow contract.
type TicketEscrowReentrancyGuardReentrantCall struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ReentrancyGuardReentrantCall()
func TicketEscrowReentrancyGuardReentrantCallErrorID() common.Hash {
	return common.HexToHash("0x3ee5aeb571de7fc460830b4d0017439a1ca56fb0bc39062227ade4fe4a24c1ca")
}

// UnpackReentrancyGuardReentrantCallError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ReentrancyGuardReentrantCall()
func (ticketEscrow *TicketEscrow) UnpackReentrancyGuardReentrantCallError(raw []byte) (*TicketEscrowReentrancyGuardReentrantCall, error) {
	out := new(TicketEscrowReentrancyGuardReentrantCall)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "ReentrancyGuardReentrantCall", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TicketEscrowSafeERC20FailedOperation represents a SafeERC20FailedOperation error raised by the TicketEscrow contract.
type TicketEscrowSafeERC20FailedOperation struct {
	Token common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error SafeERC20FailedOperation(address token)
func TicketEscrowSafeERC20FailedOperationErrorID() common.Hash {
	return common.HexToHash("0x5274afe73c98b4749fc91ffae6b7b574e7842cb2144a159e9377a5f20b32edf9")
}

// UnpackSafeERC20FailedOperationError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error SafeERC20FailedOperation(address token)
func (ticketEscrow *TicketEscrow) UnpackSafeERC20FailedOperationError(raw []byte) (*TicketEscrowSafeERC20FailedOperation, error) {
	out := new(TicketEscrowSafeERC20FailedOperation)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "SafeERC20FailedOperation", raw); err != nil {
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

// TicketEscrowSessionCapExceeded represents a SessionCapExceeded error raised by the TicketEscrow contract.
type TicketEscrowSessionCapExceeded struct {
	Left   *big.Int
	Amount *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error SessionCapExceeded(uint256 left, uint256 amount)
func TicketEscrowSessionCapExceededErrorID() common.Hash {
	return common.HexToHash("0xbe4aa6fc33dbb8ef96251b4e967a9471a53a05500dc017e084041496a46e7d63")
}

// UnpackSessionCapExceededError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error SessionCapExceeded(uint256 left, uint256 amount)
func (ticketEscrow *TicketEscrow) UnpackSessionCapExceededError(raw []byte) (*TicketEscrowSessionCapExceeded, error) {
	out := new(TicketEscrowSessionCapExceeded)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "SessionCapExceeded", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TicketEscrowSessionInvalid represents a SessionInvalid error raised by the TicketEscrow contract.
type TicketEscrowSessionInvalid struct {
	Payer  common.Address
	Signer common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error SessionInvalid(address payer, address signer)
func TicketEscrowSessionInvalidErrorID() common.Hash {
	return common.HexToHash("0xeebb189fea392843968198059795ac55c3952bd8fdc5e29979b60f99d484f492")
}

// UnpackSessionInvalidError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error SessionInvalid(address payer, address signer)
func (ticketEscrow *TicketEscrow) UnpackSessionInvalidError(raw []byte) (*TicketEscrowSessionInvalid, error) {
	out := new(TicketEscrowSessionInvalid)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "SessionInvalid", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TicketEscrowSessionShortened represents a SessionShortened error raised by the TicketEscrow contract.
type TicketEscrowSessionShortened struct {
	ValidUntil *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error SessionShortened(uint256 validUntil)
func TicketEscrowSessionShortenedErrorID() common.Hash {
	return common.HexToHash("0x84478112cfa53789d1a9614628c9bc85410c412a912fadf413a13353d99ca499")
}

// UnpackSessionShortenedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error SessionShortened(uint256 validUntil)
func (ticketEscrow *TicketEscrow) UnpackSessionShortenedError(raw []byte) (*TicketEscrowSessionShortened, error) {
	out := new(TicketEscrowSessionShortened)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "SessionShortened", raw); err != nil {
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

// TicketEscrowTransferMismatch represents a TransferMismatch error raised by the TicketEscrow contract.
type TicketEscrowTransferMismatch struct {
	Received *big.Int
	Amount   *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error TransferMismatch(uint256 received, uint256 amount)
func TicketEscrowTransferMismatchErrorID() common.Hash {
	return common.HexToHash("0xad48e590aad0969daf0cd911caf9ac3cf200d6517523477d07e4b2e6fa73f0e2")
}

// UnpackTransferMismatchError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error TransferMismatch(uint256 received, uint256 amount)
func (ticketEscrow *TicketEscrow) UnpackTransferMismatchError(raw []byte) (*TicketEscrowTransferMismatch, error) {
	out := new(TicketEscrowTransferMismatch)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "TransferMismatch", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TicketEscrowUnauthorised represents a Unauthorised error raised by the TicketEscrow contract.
type TicketEscrowUnauthorised struct {
	Caller common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error Unauthorised(address caller)
func TicketEscrowUnauthorisedErrorID() common.Hash {
	return common.HexToHash("0xae10e1de59cb2c8af36e260f3ef4b614c0346fadd92321b47b3bad7edf3008be")
}

// UnpackUnauthorisedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error Unauthorised(address caller)
func (ticketEscrow *TicketEscrow) UnpackUnauthorisedError(raw []byte) (*TicketEscrowUnauthorised, error) {
	out := new(TicketEscrowUnauthorised)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "Unauthorised", raw); err != nil {
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

// TicketEscrowWrongAsset represents a WrongAsset error raised by the TicketEscrow contract.
type TicketEscrowWrongAsset struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WrongAsset()
func TicketEscrowWrongAssetErrorID() common.Hash {
	return common.HexToHash("0xf170c67fbef37d60daa2c8494fe22631cd135dc228bcc58a8c645c15992ea504")
}

// UnpackWrongAssetError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WrongAsset()
func (ticketEscrow *TicketEscrow) UnpackWrongAssetError(raw []byte) (*TicketEscrowWrongAsset, error) {
	out := new(TicketEscrowWrongAsset)
	if err := ticketEscrow.abi.UnpackIntoInterface(out, "WrongAsset", raw); err != nil {
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
