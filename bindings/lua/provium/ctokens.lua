-- SPDX-License-Identifier: MIT
-- C as a row of tokens, and constants in it.  A parser `p` is {text, at, line, token, token_line}.
local core = require "provium.core"

local ctokens = {}

function ctokens.fail(p, text, ...)
  error(("line %d: "):format(p.line) .. text:format(...), 0)
end

-- Skip blanks, comments and lines of the preprocessor; counts lines.
local function skip(p)
  repeat
    local from = p.at
    for _, pattern in ipairs { "^%s+", "^//[^\n]*", "^/%*.-%*/", "^#[^\n]*" } do
      local _, last = p.text:find(pattern, p.at)
      if last then
        p.line = p.line + select(2, p.text:sub(p.at, last):gsub("\n", ""))
        p.at = last + 1
      end
    end
  until p.at == from
  if p.text:find("^/%*", p.at) then
    ctokens.fail(p, "a comment without an end")
  end
end

-- Read the next token into p.token: a word, a number, one character, or "" at the end.
function ctokens.advance(p)
  p.token_line = p.line
  skip(p)
  local token = p.text:match("^[%a_][%w_]*", p.at) or p.text:match("^%d[%w]*", p.at) or p.text:sub(p.at, p.at)
  p.at = p.at + #token
  p.token = token
end

function ctokens.show(token)
  return token == "" and "the end" or ("%q"):format(token)
end

function ctokens.accept(p, token)
  if p.token == token then
    ctokens.advance(p)
    return true
  end
end

function ctokens.expect(p, token, where)
  if not ctokens.accept(p, token) then
    ctokens.fail(p, '"%s" expected %s, got %s', token, where, ctokens.show(p.token))
  end
end

function ctokens.is_word(token)
  return token:find "^[%a_]" ~= nil
end

function ctokens.word(p, what)
  local token = p.token
  if not ctokens.is_word(token) then
    ctokens.fail(p, "%s expected, got %s", what, ctokens.show(token))
  end
  ctokens.advance(p)
  return token
end

-- ---- constants ----

local sum

local function number(p)
  local token = p.token
  ctokens.advance(p)
  local digits = token:lower():gsub("[ul]+$", "")
  local value = digits:find "^0[0-7]+$" and tonumber(digits, 8) or math.tointeger(tonumber(digits))
  return value or ctokens.fail(p, "%s is no number", ctokens.show(token))
end

local function atom(p)
  if ctokens.accept(p, "(") then
    local value = sum(p)
    ctokens.expect(p, ")", "behind a constant")
    return value
  elseif ctokens.accept(p, "-") then
    return -atom(p)
  elseif p.token:find "^%d" then
    return number(p)
  end
  local name = ctokens.word(p, "a number")
  local value = core.names_find("x86_64", "const", name)
  return value or ctokens.fail(p, 'no constant "%s"%s', name, core.names_hint("x86_64", "const", name))
end

local function product(p)
  local value = atom(p)
  while p.token == "*" or p.token == "/" do
    local divide = p.token == "/"
    ctokens.advance(p)
    local other = atom(p)
    if divide and other == 0 then
      ctokens.fail(p, "a division by zero")
    end
    value = divide and value // other or value * other
  end
  return value
end

function sum(p)
  local value = product(p)
  while p.token == "+" or p.token == "-" do
    local sign = p.token == "+" and 1 or -1
    ctokens.advance(p)
    value = value + sign * product(p)
  end
  return value
end

function ctokens.positive(p, what, max)
  local value = sum(p)
  if value < 0 or value > max then
    ctokens.fail(p, "%s: 0 to %d expected, got %d", what, max, value)
  end
  return value
end

ctokens.sum = sum

return ctokens
