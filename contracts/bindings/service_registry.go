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

// ServiceRegistryMetaData contains all meta data concerning the ServiceRegistry contract.
var ServiceRegistryMetaData = bind.MetaData{
	ABI: "[{\"type\":\"function\",\"name\":\"MAX_URI\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"infoHashOf\",\"inputs\":[{\"name\":\"account\",\"type\":\"address\",\"internalType\":\"address\"}],\"outputs\":[{\"name\":\"\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"register\",\"inputs\":[{\"name\":\"infoHash\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"uri\",\"type\":\"string\",\"internalType\":\"string\"}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"unregister\",\"inputs\":[],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"event\",\"name\":\"Registered\",\"inputs\":[{\"name\":\"account\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"infoHash\",\"type\":\"bytes32\",\"indexed\":false,\"internalType\":\"bytes32\"},{\"name\":\"uri\",\"type\":\"string\",\"indexed\":false,\"internalType\":\"string\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"Unregistered\",\"inputs\":[{\"name\":\"account\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"}],\"anonymous\":false},{\"type\":\"error\",\"name\":\"NotRegistered\",\"inputs\":[{\"name\":\"account\",\"type\":\"address\",\"internalType\":\"address\"}]},{\"type\":\"error\",\"name\":\"UriTooLong\",\"inputs\":[{\"name\":\"length\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"ZeroHash\",\"inputs\":[]}]",
	ID:  "ServiceRegistry",
	Bin: "0x608080604052346015576102df908161001a8239f35b5f80fdfe6080806040526004361015610012575f80fd5b5f3560e01c9081636192ed46146102a75750806386656c8814610242578063cf2d31fb146100eb5763e79a198f14610048575f80fd5b346100e7575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126100e757335f525f60205260405f2054156100bb57335f525f6020525f6040812055337f75cd6de711483e11488a1cd9b66172abccb9e5c19572f92015a7880f0c8c0edc5f80a2005b7fbfc6c337000000000000000000000000000000000000000000000000000000005f523360045260245ffd5b5f80fd5b346100e75760407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126100e75760043560243567ffffffffffffffff81116100e757366023820112156100e75780600401359167ffffffffffffffff83116100e75736602484840101116100e757801561021a578261020081116101ef5760247fb5e40ee7342dbfc9a69f18dcafa0ce9b1cf82362987b8552d82ef3b73689025393335f525f6020528360405f2055604051938452604060208501528260408501520160608301375f606084830101526060817fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0601f339601168101030190a2005b7f462dac9f000000000000000000000000000000000000000000000000000000005f5260045260245ffd5b7ff1ae58d5000000000000000000000000000000000000000000000000000000005f5260045ffd5b346100e75760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126100e75760043573ffffffffffffffffffffffffffffffffffffffff81168091036100e7575f525f602052602060405f2054604051908152f35b346100e7575f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601126100e7578061020060209252f3",
}

// ServiceRegistry is an auto generated Go binding around an Ethereum contract.
type ServiceRegistry struct {
	abi abi.ABI
}

// GetABI returns the ABI associated with this contract binding.
func (c *ServiceRegistry) GetABI() abi.ABI {
	return c.abi
}

// NewServiceRegistry creates a new instance of ServiceRegistry.
func NewServiceRegistry() *ServiceRegistry {
	parsed, err := ServiceRegistryMetaData.ParseABI()
	if err != nil {
		panic(errors.New("invalid ABI: " + err.Error()))
	}
	return &ServiceRegistry{abi: *parsed}
}

// Instance creates a wrapper for a deployed contract instance at the given address.
// Use this to create the instance object passed to abigen v2 library functions Call, Transact, etc.
func (c *ServiceRegistry) Instance(backend bind.ContractBackend, addr common.Address) *bind.BoundContract {
	return bind.NewBoundContract(addr, c.abi, backend, backend, backend)
}

// PackMAXURI is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6192ed46.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_URI() view returns(uint256)
func (serviceRegistry *ServiceRegistry) PackMAXURI() []byte {
	enc, err := serviceRegistry.abi.Pack("MAX_URI")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMAXURI is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6192ed46.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MAX_URI() view returns(uint256)
func (serviceRegistry *ServiceRegistry) TryPackMAXURI() ([]byte, error) {
	return serviceRegistry.abi.Pack("MAX_URI")
}

// UnpackMAXURI is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x6192ed46.
//
// Solidity: function MAX_URI() view returns(uint256)
func (serviceRegistry *ServiceRegistry) UnpackMAXURI(data []byte) (*big.Int, error) {
	out, err := serviceRegistry.abi.Unpack("MAX_URI", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackInfoHashOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x86656c88.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function infoHashOf(address account) view returns(bytes32)
func (serviceRegistry *ServiceRegistry) PackInfoHashOf(account common.Address) []byte {
	enc, err := serviceRegistry.abi.Pack("infoHashOf", account)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackInfoHashOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x86656c88.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function infoHashOf(address account) view returns(bytes32)
func (serviceRegistry *ServiceRegistry) TryPackInfoHashOf(account common.Address) ([]byte, error) {
	return serviceRegistry.abi.Pack("infoHashOf", account)
}

// UnpackInfoHashOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x86656c88.
//
// Solidity: function infoHashOf(address account) view returns(bytes32)
func (serviceRegistry *ServiceRegistry) UnpackInfoHashOf(data []byte) ([32]byte, error) {
	out, err := serviceRegistry.abi.Unpack("infoHashOf", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackRegister is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xcf2d31fb.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function register(bytes32 infoHash, string uri) returns()
func (serviceRegistry *ServiceRegistry) PackRegister(infoHash [32]byte, uri string) []byte {
	enc, err := serviceRegistry.abi.Pack("register", infoHash, uri)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRegister is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xcf2d31fb.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function register(bytes32 infoHash, string uri) returns()
func (serviceRegistry *ServiceRegistry) TryPackRegister(infoHash [32]byte, uri string) ([]byte, error) {
	return serviceRegistry.abi.Pack("register", infoHash, uri)
}

// PackUnregister is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe79a198f.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function unregister() returns()
func (serviceRegistry *ServiceRegistry) PackUnregister() []byte {
	enc, err := serviceRegistry.abi.Pack("unregister")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackUnregister is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe79a198f.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function unregister() returns()
func (serviceRegistry *ServiceRegistry) TryPackUnregister() ([]byte, error) {
	return serviceRegistry.abi.Pack("unregister")
}

// ServiceRegistryRegistered represents a Registered event raised by the ServiceRegistry contract.
type ServiceRegistryRegistered struct {
	Account  common.Address
	InfoHash [32]byte
	Uri      string
	Raw      *types.Log // Blockchain specific contextual infos
}

const ServiceRegistryRegisteredEventName = "Registered"

// ContractEventName returns the user-defined event name.
func (ServiceRegistryRegistered) ContractEventName() string {
	return ServiceRegistryRegisteredEventName
}

// UnpackRegisteredEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Registered(address indexed account, bytes32 infoHash, string uri)
func (serviceRegistry *ServiceRegistry) UnpackRegisteredEvent(log *types.Log) (*ServiceRegistryRegistered, error) {
	event := "Registered"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != serviceRegistry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(ServiceRegistryRegistered)
	if len(log.Data) > 0 {
		if err := serviceRegistry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range serviceRegistry.abi.Events[event].Inputs {
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

// ServiceRegistryUnregistered represents a Unregistered event raised by the ServiceRegistry contract.
type ServiceRegistryUnregistered struct {
	Account common.Address
	Raw     *types.Log // Blockchain specific contextual infos
}

const ServiceRegistryUnregisteredEventName = "Unregistered"

// ContractEventName returns the user-defined event name.
func (ServiceRegistryUnregistered) ContractEventName() string {
	return ServiceRegistryUnregisteredEventName
}

// UnpackUnregisteredEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Unregistered(address indexed account)
func (serviceRegistry *ServiceRegistry) UnpackUnregisteredEvent(log *types.Log) (*ServiceRegistryUnregistered, error) {
	event := "Unregistered"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != serviceRegistry.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(ServiceRegistryUnregistered)
	if len(log.Data) > 0 {
		if err := serviceRegistry.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range serviceRegistry.abi.Events[event].Inputs {
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
func (serviceRegistry *ServiceRegistry) UnpackError(raw []byte) (any, error) {
	if bytes.Equal(raw[:4], serviceRegistry.abi.Errors["NotRegistered"].ID.Bytes()[:4]) {
		return serviceRegistry.UnpackNotRegisteredError(raw[4:])
	}
	if bytes.Equal(raw[:4], serviceRegistry.abi.Errors["UriTooLong"].ID.Bytes()[:4]) {
		return serviceRegistry.UnpackUriTooLongError(raw[4:])
	}
	if bytes.Equal(raw[:4], serviceRegistry.abi.Errors["ZeroHash"].ID.Bytes()[:4]) {
		return serviceRegistry.UnpackZeroHashError(raw[4:])
	}
	return nil, errors.New("Unknown error")
}

// ServiceRegistryNotRegistered represents a NotRegistered error raised by the ServiceRegistry contract.
type ServiceRegistryNotRegistered struct {
	Account common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotRegistered(address account)
func ServiceRegistryNotRegisteredErrorID() common.Hash {
	return common.HexToHash("0xbfc6c337a80b7b8201f77f0a2a54c6e5f7c6fd9124a749804a482fa16ee8a895")
}

// UnpackNotRegisteredError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotRegistered(address account)
func (serviceRegistry *ServiceRegistry) UnpackNotRegisteredError(raw []byte) (*ServiceRegistryNotRegistered, error) {
	out := new(ServiceRegistryNotRegistered)
	if err := serviceRegistry.abi.UnpackIntoInterface(out, "NotRegistered", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// ServiceRegistryUriTooLong represents a UriTooLong error raised by the ServiceRegistry contract.
type ServiceRegistryUriTooLong struct {
	Length *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error UriTooLong(uint256 length)
func ServiceRegistryUriTooLongErrorID() common.Hash {
	return common.HexToHash("0x462dac9f0ff0ea8b5263831f2857e2100591cccf02527898f426fb9e57b677ea")
}

// UnpackUriTooLongError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error UriTooLong(uint256 length)
func (serviceRegistry *ServiceRegistry) UnpackUriTooLongError(raw []byte) (*ServiceRegistryUriTooLong, error) {
	out := new(ServiceRegistryUriTooLong)
	if err := serviceRegistry.abi.UnpackIntoInterface(out, "UriTooLong", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// ServiceRegistryZeroHash represents a ZeroHash error raised by the ServiceRegistry contract.
type ServiceRegistryZeroHash struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ZeroHash()
func ServiceRegistryZeroHashErrorID() common.Hash {
	return common.HexToHash("0xf1ae58d53750b958ce0ecfcfb8703282d23f4108c501df126d4c9e83b187c78e")
}

// UnpackZeroHashError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ZeroHash()
func (serviceRegistry *ServiceRegistry) UnpackZeroHashError(raw []byte) (*ServiceRegistryZeroHash, error) {
	out := new(ServiceRegistryZeroHash)
	if err := serviceRegistry.abi.UnpackIntoInterface(out, "ZeroHash", raw); err != nil {
		return nil, err
	}
	return out, nil
}
