"""The sandbox that a script runs in, written in Lua: its limits, and all that the script can reach.

The script runs in a coroutine with a hook on its instructions, which its own code can neither remove nor see. Where
its share is used up, the hook raises an error after every further instruction, so that no `pcall` can go on. Whatever
would spend time or memory without instructions (in C or in numpy) is refused, or charged as instructions first. Left
out are: what reads files, starts programs or loads code; metatables, whose finalizers run without hooks; and chance.
"""

from __future__ import annotations

from encoderfile.transforms.tensor_methods import TENSOR

LIMITS = """
local python, names, seconds, step, kilobytes, script = ...
local assert, error, next, pcall, select, tostring, type = assert, error, next, pcall, select, tostring, type
local setmetatable, collectgarbage, load, time = setmetatable, collectgarbage, load, os.time
local create, resume, status = coroutine.create, coroutine.resume, coroutine.status
local sethook, setupvalue = debug.sethook, debug.setupvalue
local tointeger, pack, unpack, concat = math.tointeger, string.pack, string.unpack, table.concat
local unpacked, sub, rep, find = table.unpack, string.sub, string.rep, string.find
local texts = getmetatable("")  -- whose methods are the script's: here functions are called by name

local left, deadline, spent = 0, 0, nil

local function hook()
  if not spent then
    left = left - step
    if left >= 0 then
      if time() <= deadline then return end
      local _, late = python("late")  -- which costs more; but somebody may have set the clock
      if late == 0 then return end
      spent = "it runs for more than " .. seconds .. " seconds"
    else
      spent = "it runs for too many instructions"
    end
    sethook(hook, "", 1)
  end
  error(spent, 0)
end

local function charge(instructions)
  left = left - instructions
  if spent or left < 0 then
    spent = spent or "it runs for too many instructions"
    sethook(hook, "", 1)
    error(spent, 0)
  end
end

-- Memory that ran out, and a stack that did, would run out again after each `pcall`, and that takes long.
local function ends_all(message)
  if spent then charge(0) end
  if type(message) == "string" and (message == "not enough memory" or find(message, "stack overflow", 1, true)
      or message == "error in error handling") then
    spent = message
    charge(0)
  end
end
local function caught(ok, ...)
  if not ok then ends_all((...)) end
  return ok, ...
end

local function integer(value, what, level)
  local found = type(value) == "number" and tointeger(value)
  if not found then error(what .. " should be an integer, got " .. sub(tostring(value), 1, 40), level + 1) end
  return found
end
"""

LIBRARIES = """
local function copied(from, without, changed)
  local new = {}
  for name, value in next, from do new[name] = value end
  for _, name in next, without do new[name] = nil end
  for name, value in next, changed do new[name] = value end
  return new
end

local MAX_LENGTH, MAX_TEXT, MAX_STEPS = 1000000, 1000000, 100000000

-- Of a table with holes the length may be any number, and C would count up to it.
local function sized(t)
  local length = #t
  if length > MAX_LENGTH then error("the table has more than " .. MAX_LENGTH .. " elements", 3) end
  return length
end

local insert, remove, move, sort = table.insert, table.remove, table.move, table.sort
local tables = copied(table, {}, {
  insert = function(t, ...)
    local length = sized(t)
    if select("#", ...) > 1 then charge(length) end
    return insert(t, ...)
  end,
  remove = function(t, ...)
    local length = sized(t)
    if select("#", ...) > 0 then charge(length) end
    return remove(t, ...)
  end,
  move = function(from, first, last, at, to)
    local count = integer(last, "the last index", 2) - 1.0 * integer(first, "the first index", 2)
    if count > MAX_LENGTH then error("more than " .. MAX_LENGTH .. " elements", 2) end
    if count > 0 then charge(count) end
    return move(from, first, last, at, to or from)
  end,
  sort = function(t, before)
    local length, bytes = sized(t), 0
    for place = 1, length do
      local element = t[place]
      if type(element) == "string" then bytes = bytes + #element end
    end
    -- Each is compared some twenty times at most where the table is large, to the end where texts begin alike.
    if 40 * bytes > MAX_STEPS then error("texts of " .. bytes .. " bytes may take too long to sort", 2) end
    charge(8 * length + 3 * bytes)
    return sort(t, before)
  end,
  concat = function(t, ...)
    charge(sized(t))
    return concat(t, ...)
  end,
})

-- How many steps a search may take: a repetition may try every length, from every place.
local match, gmatch, gsub = string.match, string.gmatch, string.gsub
local function search(text, pattern, plain)
  text, pattern = text .. "", pattern .. ""
  local steps = #text + 1.0
  if not plain then
    local _, repetitions = gsub(pattern, "[*+?-]", "")
    local _, others = gsub(pattern, "%%[%db]", "")
    steps = steps ^ (1 + repetitions + others)
  end
  steps = steps * (#pattern + 1)
  if steps > MAX_STEPS then error("this pattern may take too long on a text of " .. #text .. " bytes", 3) end
  charge(steps // 16)
end

local strings = copied(string, {"dump"}, {
  rep = function(text, count, between)
    text, between = text .. "", (between or "") .. ""
    count = integer(count, "the number of repetitions", 2)
    local size = 1.0 * count * (#text + #between)
    if size <= 0 then return "" end
    if size > MAX_TEXT then error("the text would have more than " .. MAX_TEXT .. " bytes", 2) end
    charge(size // 8)
    return rep(text, count, between)
  end,
  find = function(text, pattern, from, plain)
    search(text, pattern, plain)
    return find(text, pattern, from, plain)
  end,
  match = function(text, pattern, from)
    search(text, pattern)
    return match(text, pattern, from)
  end,
  gmatch = function(text, pattern, from)
    search(text, pattern)
    return gmatch(text, pattern, from)
  end,
  gsub = function(text, pattern, ...)
    search(text, pattern)
    return gsub(text, pattern, ...)
  end,
})

-- A hook belongs to one coroutine, so each new one gets its own, and a share used up in one ends all.
local function hooked(f)
  local new = create(f)
  sethook(new, hook, "", step)
  return new
end
local function or_error(ok, ...)
  if not ok then error((...), 0) end
  return ...
end
local close = coroutine.close
local coroutines = copied(coroutine, {}, {
  create = hooked,
  resume = function(co, ...) return caught(resume(co, ...)) end,
  wrap = function(f)
    local co = hooked(f)
    return function(...) return or_error(caught(resume(co, ...))) end
  end,
  close = function(co) return caught(close(co)) end,
})

local offered = {
  coroutine = coroutines,
  math = copied(math, {"random", "randomseed"}, {}),
  string = strings,
  table = tables,
  utf8 = copied(utf8, {}, {}),
}

-- C would call the handler inside the hook, where no further hook runs.
local function handled(handler, ok, ...)
  if ok then return true, ... end
  return false, handler(...)
end
local base = {
  _VERSION = _VERSION, assert = assert, error = error, ipairs = ipairs, next = next, pairs = pairs,
  rawequal = rawequal, rawget = rawget, rawlen = rawlen, rawset = rawset, select = select, tonumber = tonumber,
  tostring = tostring, type = type,
  pcall = function(f, ...) return caught(pcall(f, ...)) end,
  xpcall = function(f, handler, ...) return handled(handler, caught(pcall(f, ...))) end,
}
"""

RUN = """
base.print = function(...)
  local words = {}
  for place = 1, select("#", ...) do words[place] = tostring((select(place, ...))) end
  ask("print", sub(concat(words, "\\t"), 1, 2000))
end

local function environment()
  local new = copied(base, {}, {})
  for name in gmatch(names, "%a%w*") do new[name] = copied(offered[name], {}, {}) end
  texts.__index = new.string or {}
  new._G = new
  new.Tensor = setmetatable({new = tensor}, {
    __call = function(_, from) return tensor(from) end,
    __metatable = false,
  })
  return new
end

local globals = _G
for name in next, globals do globals[name] = nil end

local postprocess, wrong = load(script, "=transform", "t", {})

-- With a share of instructions and the handles of one or two tensors; gives a handle, or nil and why there is none.
return function(instructions, first, second)
  if wrong then return nil, sub(wrong, 1, 500) end
  left, spent, deadline = instructions, nil, time() + seconds
  local own = environment()
  setupvalue(postprocess, 1, own)
  local body = create(function()
    postprocess()
    local f = own.Postprocess
    if type(f) ~= "function" then error("it defines no function Postprocess", 0) end
    local result = f(wrapped(first), second and wrapped(second))
    return handles[tensor_from(result, "Postprocess should return a Tensor, and returned")]
  end)
  sethook(body, hook, "", step)
  local ok, result = resume(body)
  if spent then return nil, spent end
  if status(body) ~= "dead" then return nil, "Postprocess yields, where nothing resumes it" end
  if ok then return result end
  if type(result) == "string" then return nil, sub(result, 1, 500) end
  return nil, "its error is a " .. type(result)
end
"""

SANDBOX = (LIMITS + LIBRARIES + TENSOR + RUN).encode()
"""Lua source of a function: of the way into Python, the names of libraries, limits and the script.

It gives the function that runs the script on one batch.
"""
