// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";

/// @title Authority
/// @notice Who may do what, and after which delay: OpenZeppelin's AccessManager as it is, under a name of its own. Its execution
/// delays are the timelock: what a delayed role wants is announced by `schedule` and done by `execute` when the delay has
/// passed.
contract Authority is AccessManager {
    /// @param initialAdmin the deployer, which gives its role up once the others are set
    constructor(address initialAdmin) AccessManager(initialAdmin) {}
}
