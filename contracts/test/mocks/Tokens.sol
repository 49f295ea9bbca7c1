// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ITicketEscrow} from "../../src/interfaces/ITicketEscrow.sol";

contract Token is ERC20("Token", "TOK") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @dev Keeps a hundredth of every transfer.
contract FeeToken is ERC20("Fee", "FEE") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0) && to != address(0)) super._update(to, address(0xfee), value / 100);
    }
}

/// @dev Tells its sender before it moves anything, as ERC-777 does.
contract HookToken is ERC20("Hook", "HOOK") {
    address private hooked;

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function hook(address sender) external {
        hooked = sender;
    }

    function _update(address from, address to, uint256 value) internal override {
        if (from == hooked && from != address(0)) HookThief(from).beforeTransfer();
        super._update(from, to, value);
    }
}

/// @dev Deposits once more while its deposit is being moved.
contract HookThief {
    ITicketEscrow private immutable ESCROW;
    bool public tried;

    constructor(ITicketEscrow escrow, ERC20 token) {
        ESCROW = escrow;
        token.approve(address(escrow), type(uint256).max);
    }

    function deposit(uint256 amount) external {
        ESCROW.depositToken(address(this), amount);
    }

    function beforeTransfer() external {
        if (tried) return;
        tried = true;
        try ESCROW.depositToken(address(this), 1 ether) {
            revert("deposited inside a deposit");
        } catch {}
    }
}

/// @dev USDT's way: says nothing when it moved the money.
contract SilentToken {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}
