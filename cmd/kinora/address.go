package main

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/ethereum/go-ethereum/common"
)

// parseAddress reads an account's or a contract's address. Money sent to a mistyped one is lost, so a checksum (EIP-55:
// mixed case) must be right; the zero address is nobody's.
func parseAddress(s string) (common.Address, error) {
	if !strings.HasPrefix(s, "0x") || !common.IsHexAddress(s) {
		return common.Address{}, fmt.Errorf("%q is no address: want 0x and 40 hexadecimal digits", s)
	}
	address := common.HexToAddress(s)
	if digits := s[2:]; digits != strings.ToLower(digits) && digits != strings.ToUpper(digits) && s != address.Hex() {
		return common.Address{}, fmt.Errorf("%q: the checksum is wrong, so a digit is mistyped; copy the address again", s)
	}
	if address == (common.Address{}) {
		return common.Address{}, fmt.Errorf("%q is the zero address, which nobody owns", s)
	}
	return address, nil
}

var addresses = kong.TypeMapper(reflect.TypeFor[common.Address](), kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
	var s string
	if err := ctx.Scan.PopValueInto("address", &s); err != nil {
		return err
	}
	address, err := parseAddress(s)
	if err != nil {
		return err
	}
	target.Set(reflect.ValueOf(address))
	return nil
}))
