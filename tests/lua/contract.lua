-- SPDX-License-Identifier: MIT
-- The contract of the Lua calls, with an agent that runs on this machine.
local here = arg[0]:match "^(.*/)" or "./"
package.path = here .. "../contract/?.lua;" .. package.path
local provium = require "provium"

local program = os.getenv "PROVIUM_TEST_AGENT" or (os.getenv "B" or "build") .. "/provium-agent"
local agent <close> = provium.attach { exec = { program, "--execute-here" } }
require "raises"(agent)
require "rules"(agent)
require "memory"(agent)
