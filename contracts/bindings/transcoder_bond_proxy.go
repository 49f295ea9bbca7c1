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

// TranscoderBondProxyMetaData contains all meta data concerning the TranscoderBondProxy contract.
var TranscoderBondProxyMetaData = bind.MetaData{
	ABI: "[{\"type\":\"constructor\",\"inputs\":[{\"name\":\"implementation\",\"type\":\"address\",\"internalType\":\"address\"}],\"stateMutability\":\"nonpayable\"},{\"type\":\"fallback\",\"stateMutability\":\"payable\"},{\"type\":\"event\",\"name\":\"Upgraded\",\"inputs\":[{\"name\":\"implementation\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"}],\"anonymous\":false},{\"type\":\"error\",\"name\":\"AddressEmptyCode\",\"inputs\":[{\"name\":\"target\",\"type\":\"address\",\"internalType\":\"address\"}]},{\"type\":\"error\",\"name\":\"ERC1967InvalidImplementation\",\"inputs\":[{\"name\":\"implementation\",\"type\":\"address\",\"internalType\":\"address\"}]},{\"type\":\"error\",\"name\":\"ERC1967NonPayable\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"ERC1967ProxyUninitialized\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"FailedCall\",\"inputs\":[]}]",
	ID:  "TranscoderBondProxy",
	Bin: "0x60806040523461011f57604051601f61020738819003918201601f19168301916001600160401b0383118484101761010b5780849260209460405283398101031261011f57516001600160a01b03811680820361011f5760405190602082016001600160401b0381118382101761010b576040525f8252823b156100f9577f360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc80546001600160a01b031916821790557fbc7cd75a20ee27fd9adebab32041f755214dbc6bffa90cc0225b39da2e5c2d3b5f80a28051156100f2576100e291610123565b505b604051605790816101b08239f35b50506100e4565b634c9c8ce360e01b5f5260045260245ffd5b634e487b7160e01b5f52604160045260245ffd5b5f80fd5b905f8091602081519101845af4808061019c575b156101575750506040513d81523d5f602083013e60203d82010160405290565b1561017c57639996b31560e01b5f9081526001600160a01b0391909116600452602490fd5b3d1561018d576040513d5f823e3d90fd5b63d6bda27560e01b5f5260045ffd5b503d1515806101375750813b151561013756fe60806040525f8073ffffffffffffffffffffffffffffffffffffffff7f360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc5416368280378136915af43d5f803e156053573d5ff35b3d5ffd",
}

// TranscoderBondProxy is an auto generated Go binding around an Ethereum contract.
type TranscoderBondProxy struct {
	abi abi.ABI
}

// GetABI returns the ABI associated with this contract binding.
func (c *TranscoderBondProxy) GetABI() abi.ABI {
	return c.abi
}

// NewTranscoderBondProxy creates a new instance of TranscoderBondProxy.
func NewTranscoderBondProxy() *TranscoderBondProxy {
	parsed, err := TranscoderBondProxyMetaData.ParseABI()
	if err != nil {
		panic(errors.New("invalid ABI: " + err.Error()))
	}
	return &TranscoderBondProxy{abi: *parsed}
}

// Instance creates a wrapper for a deployed contract instance at the given address.
// Use this to create the instance object passed to abigen v2 library functions Call, Transact, etc.
func (c *TranscoderBondProxy) Instance(backend bind.ContractBackend, addr common.Address) *bind.BoundContract {
	return bind.NewBoundContract(addr, c.abi, backend, backend, backend)
}

// PackConstructor is the Go binding used to pack the parameters required for
// contract deployment.
//
// Solidity: constructor(address implementation) returns()
func (transcoderBondProxy *TranscoderBondProxy) PackConstructor(implementation common.Address) []byte {
	enc, err := transcoderBondProxy.abi.Pack("", implementation)
	if err != nil {
		panic(err)
	}
	return enc
}

// TranscoderBondProxyUpgraded represents a Upgraded event raised by the TranscoderBondProxy contract.
type TranscoderBondProxyUpgraded struct {
	Implementation common.Address
	Raw            *types.Log // Blockchain specific contextual infos
}

const TranscoderBondProxyUpgradedEventName = "Upgraded"

// ContractEventName returns the user-defined event name.
func (TranscoderBondProxyUpgraded) ContractEventName() string {
	return TranscoderBondProxyUpgradedEventName
}

// UnpackUpgradedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Upgraded(address indexed implementation)
func (transcoderBondProxy *TranscoderBondProxy) UnpackUpgradedEvent(log *types.Log) (*TranscoderBondProxyUpgraded, error) {
	event := "Upgraded"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != transcoderBondProxy.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(TranscoderBondProxyUpgraded)
	if len(log.Data) > 0 {
		if err := transcoderBondProxy.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range transcoderBondProxy.abi.Events[event].Inputs {
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
func (transcoderBondProxy *TranscoderBondProxy) UnpackError(raw []byte) (any, error) {
	if bytes.Equal(raw[:4], transcoderBondProxy.abi.Errors["AddressEmptyCode"].ID.Bytes()[:4]) {
		return transcoderBondProxy.UnpackAddressEmptyCodeError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBondProxy.abi.Errors["ERC1967InvalidImplementation"].ID.Bytes()[:4]) {
		return transcoderBondProxy.UnpackERC1967InvalidImplementationError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBondProxy.abi.Errors["ERC1967NonPayable"].ID.Bytes()[:4]) {
		return transcoderBondProxy.UnpackERC1967NonPayableError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBondProxy.abi.Errors["ERC1967ProxyUninitialized"].ID.Bytes()[:4]) {
		return transcoderBondProxy.UnpackERC1967ProxyUninitializedError(raw[4:])
	}
	if bytes.Equal(raw[:4], transcoderBondProxy.abi.Errors["FailedCall"].ID.Bytes()[:4]) {
		return transcoderBondProxy.UnpackFailedCallError(raw[4:])
	}
	return nil, errors.New("Unknown error")
}

// TranscoderBondProxyAddressEmptyCode represents a AddressEmptyCode error raised by the TranscoderBondProxy contract.
type TranscoderBondProxyAddressEmptyCode struct {
	Target common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error AddressEmptyCode(address target)
func TranscoderBondProxyAddressEmptyCodeErrorID() common.Hash {
	return common.HexToHash("0x9996b315c842ff135b8fc4a08ad5df1c344efbc03d2687aecc0678050d2aac89")
}

// UnpackAddressEmptyCodeError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error AddressEmptyCode(address target)
func (transcoderBondProxy *TranscoderBondProxy) UnpackAddressEmptyCodeError(raw []byte) (*TranscoderBondProxyAddressEmptyCode, error) {
	out := new(TranscoderBondProxyAddressEmptyCode)
	if err := transcoderBondProxy.abi.UnpackIntoInterface(out, "AddressEmptyCode", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondProxyERC1967InvalidImplementation represents a ERC1967InvalidImplementation error raised by the TranscoderBondProxy contract.
type TranscoderBondProxyERC1967InvalidImplementation struct {
	Implementation common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ERC1967InvalidImplementation(address implementation)
func TranscoderBondProxyERC1967InvalidImplementationErrorID() common.Hash {
	return common.HexToHash("0x4c9c8ce3ceb3130f17f7cdba48d89b5b0129f266a8bac114e6e315a41879b617")
}

// UnpackERC1967InvalidImplementationError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ERC1967InvalidImplementation(address implementation)
func (transcoderBondProxy *TranscoderBondProxy) UnpackERC1967InvalidImplementationError(raw []byte) (*TranscoderBondProxyERC1967InvalidImplementation, error) {
	out := new(TranscoderBondProxyERC1967InvalidImplementation)
	if err := transcoderBondProxy.abi.UnpackIntoInterface(out, "ERC1967InvalidImplementation", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondProxyERC1967NonPayable represents a ERC1967NonPayable error raised by the TranscoderBondProxy contract.
type TranscoderBondProxyERC1967NonPayable struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ERC1967NonPayable()
func TranscoderBondProxyERC1967NonPayableErrorID() common.Hash {
	return common.HexToHash("0xb398979fa84f543c8e222f17890372c487baf85e062276c127fef521eea7224b")
}

// UnpackERC1967NonPayableError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ERC1967NonPayable()
func (transcoderBondProxy *TranscoderBondProxy) UnpackERC1967NonPayableError(raw []byte) (*TranscoderBondProxyERC1967NonPayable, error) {
	out := new(TranscoderBondProxyERC1967NonPayable)
	if err := transcoderBondProxy.abi.UnpackIntoInterface(out, "ERC1967NonPayable", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondProxyERC1967ProxyUninitialized represents a ERC1967ProxyUninitialized error raised by the TranscoderBondProxy contract.
type TranscoderBondProxyERC1967ProxyUninitialized struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ERC1967ProxyUninitialized()
func TranscoderBondProxyERC1967ProxyUninitializedErrorID() common.Hash {
	return common.HexToHash("0xc28a273c3fe16468cad2234091c09b146f46a93b2ad4069739c7beddfa5b3529")
}

// UnpackERC1967ProxyUninitializedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ERC1967ProxyUninitialized()
func (transcoderBondProxy *TranscoderBondProxy) UnpackERC1967ProxyUninitializedError(raw []byte) (*TranscoderBondProxyERC1967ProxyUninitialized, error) {
	out := new(TranscoderBondProxyERC1967ProxyUninitialized)
	if err := transcoderBondProxy.abi.UnpackIntoInterface(out, "ERC1967ProxyUninitialized", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// TranscoderBondProxyFailedCall represents a FailedCall error raised by the TranscoderBondProxy contract.
type TranscoderBondProxyFailedCall struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error FailedCall()
func TranscoderBondProxyFailedCallErrorID() common.Hash {
	return common.HexToHash("0xd6bda27508c0fb6d8a39b4b122878dab26f731a7d4e4abe711dd3731899052a4")
}

// UnpackFailedCallError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error FailedCall()
func (transcoderBondProxy *TranscoderBondProxy) UnpackFailedCallError(raw []byte) (*TranscoderBondProxyFailedCall, error) {
	out := new(TranscoderBondProxyFailedCall)
	if err := transcoderBondProxy.abi.UnpackIntoInterface(out, "FailedCall", raw); err != nil {
		return nil, err
	}
	return out, nil
}
