// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IServiceRegistry
/// @notice Who serves where. An account says so for itself; the chain keeps one hash, and where to fetch what it is the hash of
/// goes out as an event. A reader fetches that document and takes it only if its hash is the one kept here, so whoever serves
/// it cannot change what the account said: its endpoints, its prices, what it can do.
interface IServiceRegistry {
    /// @notice `account` serves as the document with hash `infoHash` says, found at `uri`.
    event Registered(address indexed account, bytes32 infoHash, string uri);

    /// @notice `account` serves no longer.
    event Unregistered(address indexed account);

    error ZeroHash();
    error UriTooLong(uint256 length);
    error NotRegistered(address account);

    /// @notice Registers the caller, or replaces what it said before.
    /// @param infoHash keccak256 of the document
    /// @param uri where it is, at most `MAX_URI` bytes
    function register(bytes32 infoHash, string calldata uri) external;

    /// @notice Removes the caller.
    function unregister() external;

    /// @notice The hash of what `account` says of itself; zero when it serves nowhere.
    function infoHashOf(address account) external view returns (bytes32);

    /// @notice Bytes that a URI has at most.
    function MAX_URI() external view returns (uint256);
}
