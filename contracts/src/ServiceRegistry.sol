// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IServiceRegistry} from "./interfaces/IServiceRegistry.sol";

/// @title ServiceRegistry
/// @notice Immutable and nobody's: each account writes one slot of its own, so there is nothing to administer.
contract ServiceRegistry is IServiceRegistry {
    /// @inheritdoc IServiceRegistry
    mapping(address account => bytes32) public infoHashOf;

    /// @inheritdoc IServiceRegistry
    uint256 public constant MAX_URI = 512;

    /// @inheritdoc IServiceRegistry
    function register(bytes32 infoHash, string calldata uri) external {
        if (infoHash == 0) revert ZeroHash();
        if (bytes(uri).length > MAX_URI) revert UriTooLong(bytes(uri).length);
        infoHashOf[msg.sender] = infoHash;
        emit Registered(msg.sender, infoHash, uri);
    }

    /// @inheritdoc IServiceRegistry
    function unregister() external {
        if (infoHashOf[msg.sender] == 0) revert NotRegistered(msg.sender);
        delete infoHashOf[msg.sender];
        emit Unregistered(msg.sender);
    }
}
