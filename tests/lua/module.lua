-- SPDX-License-Identifier: MIT
-- The module around the calls: what it exports, profiles, attaching, handles.
local globals = {}
for name in pairs(_G) do
  globals[name] = true
end
local provium = require "provium"

local program = os.getenv "PROVIUM_TEST_AGENT" or (os.getenv "B" or "build") .. "/provium-agent"
local agent_command = { program, "--execute-here" }

local function raises(text, fn, ...)
  local ok, err = pcall(fn, ...)
  assert_eq(false, ok)
  assert_contains(err, text)
end

-- How many descriptors this process has open.  (popen would count a pipe of its own, or not.)
local listing = os.tmpname()
local function descriptors()
  local stat <close> = assert(io.open "/proc/self/stat")
  assert(os.execute(("ls /proc/%d/fd >%s"):format(stat:read "n", listing)))
  local list <close> = assert(io.open(listing))
  return select(2, list:read "a":gsub("\n", ""))
end

test("require sets no globals", function()
  for name in pairs(_G) do
    assert(globals[name], name)
  end
end)

test("what the module exports", function()
  for _, name in ipairs { "create", "shutdown_all", "pack", "unpack", "attach" } do
    assert_eq("function", type(provium[name]), name)
  end
  for _, name in ipairs { "pack", "unpack", "kind", "array", "map", "bin", "ext", "time", "u64", "f32", "f64" } do
    assert_eq("function", type(provium.msgpack[name]), name)
  end
  assert_eq("userdata", type(provium.msgpack.null))
  assert_contains(provium._VERSION, ".")
end)

test("test, todo and the assertions belong to the runner", function()
  for _, name in ipairs { "test", "todo", "assert_eq", "assert_contains" } do
    assert_eq(nil, provium[name])
    assert_eq("function", type(_G[name]))
  end
end)

-- ---- profiles ----

local folder = os.tmpname()
os.remove(folder)
assert(os.execute(("mkdir -p %s/a/b"):format(folder)))

local function write(name, text)
  local file <close> = assert(io.open(folder .. "/" .. name, "wb"))
  file:write(text)
end

-- Run provium.create() in a script that lies in a/b of the folder; returns what it raised.
local config = require "provium.config"
local function create_from(script, profile)
  local old = config.script
  config.script = folder .. "/" .. script
  local ok, err = pcall(provium.create, profile)
  config.script = old
  return ok or err
end

test("a profile is found by name in the nearest provium.lua above the script", function()
  write("provium.lua", [[return { outer = { memory = "1G" } }]])
  assert_eq(true, create_from("a/b/test.lua", "outer"))
  write("a/provium.lua", [[return { inner = { memory = "256M", cpus = 2, cmdline = "quiet", machine = "q35",
    accel = "tcg", kernel = "images/vmlinux", modules = "none", initrd = "/x", timeout = "2m",
    files = { ["/etc/x"] = "x" } } }]])
  assert_eq(true, create_from("a/b/test.lua", "inner"))
  assert_eq(true, create_from("test.lua", "outer"))
  assert_contains(create_from("a/b/test.lua", "outer"), 'a/provium.lua: no profile "outer" (there are: inner)')
end)

test("paths in a provium.lua count from its folder", function()
  local old = config.script
  config.script = folder .. "/a/b/test.lua"
  local profile = assert(config.profile "inner")
  config.script = old
  local real = assert(require "provium.core".realpath(folder))
  assert_eq({ real .. "/a/images/vmlinux", "none", "/x", real .. "/a/x" },
    { profile.kernel, profile.modules, profile.initrd, profile.files["/etc/x"] })
  assert_eq({ 256 << 20, 2, 120000 }, { profile.memory, profile.cpus, profile.timeout })
end)

test("a provium.lua sees nothing, and its faults are one clear error each", function()
  for text, expected in pairs {
    ["return {"] = "provium.lua:1:",
    ["return os"] = "a table of profiles expected, got nil",
    ["os.exit(0)"] = "provium.lua:1: attempt to index a nil value (global 'os')",
    ["return 5"] = "a table of profiles expected, got 5",
    ["return {}"] = 'a/provium.lua: no profile "x" (there are none)',
    ["return { y = {}, z = {} }"] = 'a/provium.lua: no profile "x" (there are: y, z)',
    ["return { x = 5 }"] = 'profile "x": a table expected, got 5',
    ["return { x = { memroy = 1 } }"] = 'profile "x": unknown key "memroy" (known: accel, agent,',
    ["return { x = { memory = '1T' } }"] = 'profile "x": memory: a size such as "512M"',
    ["return { x = { [1] = 2 } }"] = 'profile "x": unknown key 1',
    ["\27Lua"] = "attempt to load a binary chunk",
  } do
    write("a/provium.lua", text)
    assert_contains(create_from("a/b/test.lua", "x"), expected)
  end
end)

test("a provium.lua that cannot be read is an error, not a reason to look further up", function()
  os.remove(folder .. "/a/provium.lua")
  assert(os.execute(("mkdir %s/a/provium.lua"):format(folder)))
  assert_contains(create_from("a/b/test.lua", "outer"), "a/provium.lua: Is a directory")
  assert(os.execute(("rm -r %s"):format(folder)))
end)

test("no provium.lua at all", function()
  assert(os.execute("mkdir " .. folder))
  local real = require "provium.core".realpath(folder)
  assert_contains(create_from("test.lua", "x"), ("create: no provium.lua in %s or any folder above it"):format(real))
  os.remove(folder)
end)

test("a profile may be a table", function()
  provium.create {}
  provium.create { memory = 1 << 28, cpus = 1.0, timeout = 2.5 }
  raises('create: unknown key "nmae"', provium.create, { nmae = 1 })
  raises("create: cpus: a number from 1 to 255 expected, got 1.5", provium.create, { cpus = 1.5 })
  raises("create: cpus: a number from 1 to 255 expected, got 256", provium.create, { cpus = 256 })
  raises('create: kernel: "~" is the shell\'s: write the whole path', provium.create, { kernel = "~/vmlinux" })
  raises("create: a table expected, got 5", provium.create, 5)
  raises("create: kernel: a string expected, got true", provium.create, { kernel = true })
end)

test("sizes and durations", function()
  assert_eq({ 512 << 20, 1 << 30, 4096, 5 },
    { config.size "512M", config.size "1G", config.size "4K", (config.size(5)) })
  for _, bad in ipairs { "512", "512m", "M", "1.5G", "-1M", "9999999999G", 0, -1, 1.5, true, {} } do
    assert_eq(nil, (config.size(bad)), tostring(bad))
  end
  assert_eq({ 500, 2000, 300000, 1500, 250 },
    { config.duration "500ms", config.duration "2s", config.duration "5m", config.duration "1.5s",
      (config.duration(0.25)) })
  for _, bad in ipairs { "5", "s", "5h", "-1s", 0, -1, 1 / 0, 0 / 0, true, {}, "99999999m" } do
    assert_eq(nil, (config.duration(bad)), tostring(bad))
  end
end)

-- ---- attaching ----

test("attach: options", function()
  raises("attach: either exec or unix expected", provium.attach, {})
  raises("attach: either exec or unix expected", provium.attach, { exec = { "x" }, unix = "y" })
  raises("attach: a table expected, got nil", provium.attach)
  raises('attach: unknown key "exce"', provium.attach, { exce = { "x" } })
  raises("attach: exec: a list {program, argument, ...} expected", provium.attach, { exec = "x" })
  raises("attach: exec: [2]: a string expected, got 5", provium.attach, { exec = { "x", 5 } })
  raises("attach: unix: a path expected, got 5", provium.attach, { unix = 5 })
  raises("attach: timeout: a duration", provium.attach, { unix = "x", timeout = "y" })
end)

test("attach: an agent that is not there, ends at once, or says nothing", function()
  local before = descriptors()
  raises("attach: /nonexistent/socket: No such file or directory", provium.attach, { unix = "/nonexistent/socket" })
  raises("attach: /nonexistent/agent: No such file or directory", provium.attach, { exec = { "/nonexistent/agent" } })
  raises("attach: the agent hung up", provium.attach, { exec = { "true" } })
  raises("attach: ", provium.attach, { exec = { "sleep", "10" }, timeout = "100ms" })
  raises("attach: ", provium.attach, { exec = { "sh", "-c", "yes 2>&-" }, timeout = "300ms" })
  assert_eq(before, descriptors())
end)

test("a closed session raises; closing twice is nothing; nothing is left open", function()
  local before = descriptors()
  local agent = provium.attach { exec = agent_command }
  assert_eq("provium.session (open)", tostring(agent))
  agent:ping()
  assert_eq("integer", math.type(agent:syscall(39)))
  agent:close()
  agent:close()
  agent:kill()
  assert_eq("provium.session (closed)", tostring(agent))
  raises("syscall: already closed", agent.syscall, agent, 39)
  raises("info: already closed", agent.info, agent)
  assert_eq(before, descriptors())
end)

test("an agent that dies: the call raises, and so do later ones", function()
  local agent <close> = provium.attach { exec = agent_command }
  local kill, getppid = 62, 110
  -- its supervisor, which takes the executor along
  local ok = pcall(agent.syscall, agent, kill, agent:syscall(getppid), 9)
  for _ = 1, 10000 do
    ok = ok and pcall(agent.syscall, agent, 39)
  end
  assert_eq(false, ok)
  raises("syscall: the agent is gone: ", agent.syscall, agent, 39)
  raises("ping: the agent is gone: ", agent.ping, agent)
end)

test("an executor that is killed between two calls: the next call says so and executes nothing", function()
  local agent <close> = provium.attach { exec = agent_command }
  local pid, umask = agent:syscall(39), 95
  assert(os.execute(("kill -9 %d && sleep 0.1"):format(pid)))
  local ret, how = agent:syscall(umask, 0)
  assert_eq({ n = 2, nil, { what = "killed", signal = 9, fresh = true, executed = false } }, { n = 2, ret, how })
  assert(agent:syscall(39) ~= pid)
end)

test("sessions are collected", function()
  local before = descriptors()
  local function forget() -- a function of its own: its frame must not keep the last one
    for _ = 1, 5 do
      provium.attach { exec = agent_command }
    end
  end
  forget()
  collectgarbage()
  collectgarbage()
  assert_eq(before, descriptors())
end)

test("shutdown_all passes over VMs that the collector has closed", function()
  local function forget()
    provium.create()
  end
  forget()
  collectgarbage()
  provium.shutdown_all()
end)

test("a finalizer that calls does not disturb the results being read", function()
  local agent <close> = provium.attach { exec = agent_command }
  local calls = 0
  local function litter()
    setmetatable({}, { __gc = function()
      calls = calls + 1
      agent:syscall_buf(39, 0, ("z"):rep(3000))
      if calls < 300 then
        litter()
      end
    end })
  end
  litter()
  collectgarbage("setpause", 50)
  local big = ("b"):rep(3000)
  for i = 1, 300 do
    local _, a, b, c = agent:syscall_ptr(39, { [0] = "first" .. i, [1] = big .. i },
      { { buf_idx = 1, ptr_offset = 0, data = "third" .. i, output = true } })
    assert_eq({ "first" .. i, "third" .. i }, { a, c })
    assert_eq(tostring(i), b:sub(3001))
  end
  collectgarbage("setpause", 200)
  assert(calls > 5, calls)
end)

test("handles are checked, and their metatables are closed", function()
  local agent <close> = provium.attach { exec = agent_command }
  local vm = provium.create()
  assert_eq(false, getmetatable(agent))
  assert_eq(false, getmetatable(vm))
  raises("boot: not called on a VM", vm.boot, agent)
  raises("boot: not called on a VM", vm.boot)
  raises("shutdown: not called on a VM", vm.shutdown, agent)
  raises("close: not called on an agent", agent.close, vm)
  raises("syscall: not called on a VM", vm.syscall, io.stdout, 39)
  assert_eq("integer", math.type(vm.syscall(agent, 39)))
end)

os.remove(listing)
