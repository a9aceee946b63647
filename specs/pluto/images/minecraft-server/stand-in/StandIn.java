import java.io.*;
import java.net.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.time.LocalTime;
import java.util.*;
import java.util.concurrent.*;
import java.util.regex.*;
import java.util.zip.GZIPOutputStream;

/**
 * Answers where the game will: server list, offline login with a whitelist, RCON on loopback, a world that is written
 * while saving is on. It says that it is no game. Protocol: minecraft.wiki/w/Java_Edition_protocol, and .../w/RCON.
 */
public class StandIn {
    static final int PORT = 25565, LONGEST = 32768;
    static final Path WORLD = Path.of("world"), REGION = WORLD.resolve("region/r.0.0.mca"), DATA = WORLD.resolve("data");
    static final Set<String> players = new ConcurrentSkipListSet<>();
    static final Properties properties = new Properties();
    static boolean saving = true;
    static long tick = 0;

    public static void main(String[] arguments) throws Exception {
        try (var file = Files.newBufferedReader(Path.of("server.properties"))) { properties.load(file); }
        Files.createDirectories(REGION.getParent());
        Files.createDirectories(DATA);
        Files.createDirectories(Path.of("logs"));
        Files.deleteIfExists(Path.of("logs/latest.log"));
        if (Files.exists(REGION)) tick = Files.size(REGION) / 8;
        save();
        Executors.newScheduledThreadPool(1).scheduleAtFixedRate(StandIn::turn, 100, 100, TimeUnit.MILLISECONDS);
        serve(new ServerSocket(Integer.parseInt(properties.getProperty("rcon.port")), 8, InetAddress.getLoopbackAddress()),
              StandIn::rcon);
        serve(new ServerSocket(PORT), StandIn::game);
        log("Done! The stand-in is listening; it is no game");
    }

    interface Talk { void with(DataInputStream in, DataOutputStream out) throws IOException; }

    static void serve(ServerSocket server, Talk talk) {
        new Thread(() -> {
            while (true) {
                try {
                    Socket socket = server.accept();
                    Thread.startVirtualThread(() -> {
                        try (socket) {
                            socket.setTcpNoDelay(true);
                            talk.with(new DataInputStream(new BufferedInputStream(socket.getInputStream())),
                                      new DataOutputStream(socket.getOutputStream()));
                        } catch (IOException gone) { /* the client's own business */ }
                    });
                } catch (IOException error) { log("accept: " + error); }
            }
        }).start();
    }

    // --- the world -------------------------------------------------------------------------------------------------

    static synchronized void turn() {
        tick++;
        try { if (saving) save(); } catch (IOException error) { log("save: " + error); }
    }

    /** Two files that belong together: the region's length in ticks, and level.dat, which tells that number. */
    static synchronized void save() throws IOException {
        try (var region = new DataOutputStream(new FileOutputStream(REGION.toFile(), true))) {
            for (long next = Files.size(REGION) / 8; next < tick; next++) region.writeLong(next);
        }
        Files.writeString(WORLD.resolve("level.dat"), Long.toString(tick));
    }

    /** A map as the game writes it: gzipped NBT, {data: {colors: 128 x 128 bytes}}. */
    static synchronized void paint(int number, int color) throws IOException {
        Path made = DATA.resolve("map_" + number + ".new");
        try (var out = new DataOutputStream(new GZIPOutputStream(Files.newOutputStream(made)))) {
            out.writeByte(10); out.writeUTF("");
            out.writeByte(10); out.writeUTF("data");
            out.writeByte(7); out.writeUTF("colors"); out.writeInt(128 * 128);
            for (int i = 0; i < 128 * 128; i++) out.writeByte(color);
            out.writeByte(0); out.writeByte(0);
        }
        Files.move(made, DATA.resolve("map_" + number + ".dat"), StandardCopyOption.ATOMIC_MOVE);
    }

    // --- commands --------------------------------------------------------------------------------------------------

    static synchronized String command(String line) throws IOException {
        log("rcon: " + line);
        String[] words = line.trim().split("\\s+");
        switch (words[0]) {
            case "list": return "There are " + players.size() + " of a max of 20 players online: " + String.join(", ", players);
            case "save-off": saving = false; return "Automatic saving is now disabled";
            case "save-on": saving = true; return "Automatic saving is now enabled";
            case "save-all": save(); return "Saving the game (this may take a moment!)Saved the game";
            case "paint":
                if (words.length == 3) {
                    paint(Integer.parseInt(words[1]), Integer.parseInt(words[2]));
                    return "Painted map " + words[1];
                }
            default: return "Unknown or incomplete command";
        }
    }

    static void rcon(DataInputStream in, DataOutputStream out) throws IOException {
        boolean known = false;
        while (true) {
            int length = Integer.reverseBytes(in.readInt());
            if (length < 10 || length > 4096) return;
            int id = Integer.reverseBytes(in.readInt()), type = Integer.reverseBytes(in.readInt());
            byte[] rest = in.readNBytes(length - 8);
            String body = new String(rest, 0, rest.length - 2, StandardCharsets.UTF_8);
            if (type == 3) known = body.equals(properties.getProperty("rcon.password"));
            String answer = type == 2 && known ? command(body) : "";
            byte[] text = answer.getBytes(StandardCharsets.UTF_8);
            var packet = new ByteArrayOutputStream();
            var writer = new DataOutputStream(packet);
            for (int number : new int[] {text.length + 10, known ? id : -1, type == 3 ? 2 : 0})
                writer.writeInt(Integer.reverseBytes(number));
            writer.write(text); writer.writeShort(0);
            out.write(packet.toByteArray());
            if (!known) return;
        }
    }

    // --- players ---------------------------------------------------------------------------------------------------

    static void game(DataInputStream in, DataOutputStream out) throws IOException {
        DataInputStream hello = packet(in);
        if (varint(hello) != 0) return;
        int protocol = varint(hello);
        string(hello); hello.readUnsignedShort();
        if (varint(hello) == 1) status(in, out, protocol); else login(in, out);
    }

    static void status(DataInputStream in, DataOutputStream out, int protocol) throws IOException {
        varint(packet(in));
        send(out, 0, json -> putString(json, ("""
            {"version":{"name":"stand-in","protocol":%d},"players":{"max":20,"online":%d},\
            "description":{"text":"pluto's stand-in: no game is here yet"}}""").formatted(protocol, players.size())));
        DataInputStream ping = packet(in);
        varint(ping);
        long payload = ping.readLong();
        send(out, 1, pong -> pong.writeLong(payload));
    }

    static void login(DataInputStream in, DataOutputStream out) throws IOException {
        DataInputStream start = packet(in);
        if (varint(start) != 0) return;
        String name = string(start);
        if (!whitelisted(name)) {
            log(name + " was refused: not on the whitelist");
            send(out, 0, text -> putString(text, "{\"text\":\"You are not white-listed on this server!\"}"));
            return;
        }
        UUID own = UUID.nameUUIDFromBytes(("OfflinePlayer:" + name).getBytes(StandardCharsets.UTF_8));
        players.add(name);
        log(name + " joined the game");
        try {
            send(out, 2, success -> {
                success.writeLong(own.getMostSignificantBits()); success.writeLong(own.getLeastSignificantBits());
                putString(success, name); success.writeByte(0);
            });
            while (in.read() >= 0) { /* until the player leaves */ }
        } finally {
            players.remove(name);
            log(name + " left the game");
        }
    }

    static boolean whitelisted(String name) throws IOException {
        Matcher entry = Pattern.compile("\"name\"\\s*:\\s*\"(\\w{1,16})\"").matcher(Files.readString(Path.of("whitelist.json")));
        while (entry.find()) if (entry.group(1).equalsIgnoreCase(name)) return true;
        return false;
    }

    // --- the protocol's words --------------------------------------------------------------------------------------

    interface Body { void into(DataOutputStream out) throws IOException; }

    static DataInputStream packet(DataInputStream in) throws IOException {
        int length = varint(in);
        if (length < 1 || length > LONGEST) throw new IOException("a packet of " + length + " bytes");
        byte[] bytes = new byte[length];
        in.readFully(bytes);
        return new DataInputStream(new ByteArrayInputStream(bytes));
    }

    static void send(DataOutputStream out, int id, Body body) throws IOException {
        var bytes = new ByteArrayOutputStream();
        var packet = new DataOutputStream(bytes);
        putVarint(packet, id);
        body.into(packet);
        var whole = new ByteArrayOutputStream();
        putVarint(new DataOutputStream(whole), bytes.size());
        bytes.writeTo(whole);
        out.write(whole.toByteArray());
    }

    static int varint(DataInputStream in) throws IOException {
        int value = 0;
        for (int shift = 0; shift < 35; shift += 7) {
            int part = in.readUnsignedByte();
            value |= (part & 0x7f) << shift;
            if (part < 0x80) return value;
        }
        throw new IOException("a number without end");
    }

    static void putVarint(DataOutputStream out, int value) throws IOException {
        for (; (value & ~0x7f) != 0; value >>>= 7) out.writeByte(value & 0x7f | 0x80);
        out.writeByte(value);
    }

    static String string(DataInputStream in) throws IOException {
        int length = varint(in);
        if (length < 0 || length > LONGEST) throw new IOException("a text of " + length + " bytes");
        return new String(in.readNBytes(length), StandardCharsets.UTF_8);
    }

    static void putString(DataOutputStream out, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        putVarint(out, bytes.length);
        out.write(bytes);
    }

    static void log(String text) {
        String line = "[" + LocalTime.now().withNano(0) + "] " + text.replaceAll("\\p{Cntrl}", "?") + System.lineSeparator();
        System.out.print(line);
        try {
            Files.writeString(Path.of("logs/latest.log"), line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException error) { System.err.println(error); }
    }
}
