-- records: how a session's record is kept. Its seats are lists, not maps: names of fields were a third of what a session takes.
-- keys: none

-- A seat as it is kept: {product, license, nominal, since_ms, holder (false: the user), overdraft, reserved or nil}.
local function record_of(packed)
  local record = cmsgpack.unpack(packed)
  for i, kept in ipairs(record.seats) do
    record.seats[i] = {
      product = kept[1], license = kept[2], kind = kept[3] and 'nominal' or 'competitive', since_ms = kept[4],
      holder = kept[5] or record.user, overdraft = kept[6], reserved = kept[7],
    }
  end
  return record
end

local function packed_record(record)
  local seats, kept = record.seats, {}
  for i, seat in ipairs(seats) do
    local holder = seat.holder ~= record.user and seat.holder
    kept[i] = {seat.product, seat.license, seat.kind == 'nominal', seat.since_ms, holder, seat.overdraft or false, seat.reserved}
  end
  record.seats = kept
  local packed = cmsgpack.pack(record)
  record.seats = seats
  return packed
end
