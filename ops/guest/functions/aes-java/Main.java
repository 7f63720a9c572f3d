import aes.AesOuterClass.PlainTextMessage;
import aes.AesOuterClass.ReturnEncryptionInfo;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/** AES-128 in counter mode (NIST SP 800-38A) of a text, by the platform's own provider. */
public final class Main {
    /** The key and the first counter block of the examples in NIST SP 800-38A, F.5. */
    private static final SecretKeySpec KEY = new SecretKeySpec(bytes("2b7e151628aed2a6abf7158809cf4f3c"), "AES");
    private static final IvParameterSpec COUNTER = new IvParameterSpec(bytes("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"));

    private static byte[] bytes(String hexadecimal) {
        byte[] all = new byte[hexadecimal.length() / 2];
        for (int i = 0; i < all.length; i++)
            all[i] = (byte) Integer.parseInt(hexadecimal.substring(2 * i, 2 * i + 2), 16);
        return all;
    }

    private static String hexadecimal(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (byte one : bytes)
            text.append(Character.forDigit(one >> 4 & 15, 16)).append(Character.forDigit(one & 15, 16));
        return text.toString();
    }

    private static void showEncryption(PlainTextMessage request, StreamObserver<ReturnEncryptionInfo> observer) {
        try {
            Cipher cipher = Cipher.getInstance("AES/CTR/NoPadding");
            cipher.init(Cipher.ENCRYPT_MODE, KEY, COUNTER);
            byte[] encrypted = cipher.doFinal(request.getPlaintextMessage().getBytes(StandardCharsets.UTF_8));
            observer.onNext(ReturnEncryptionInfo.newBuilder().setEncryptionInfo(hexadecimal(encrypted)).build());
            observer.onCompleted();
        } catch (java.security.GeneralSecurityException error) {
            observer.onError(error);
        }
    }

    public static void main(String[] arguments) throws Exception {
        MethodDescriptor<PlainTextMessage, ReturnEncryptionInfo> method =
            MethodDescriptor.<PlainTextMessage, ReturnEncryptionInfo>newBuilder()
                .setType(MethodDescriptor.MethodType.UNARY)
                .setFullMethodName("aes.Aes/ShowEncryption")
                .setRequestMarshaller(ProtoUtils.marshaller(PlainTextMessage.getDefaultInstance()))
                .setResponseMarshaller(ProtoUtils.marshaller(ReturnEncryptionInfo.getDefaultInstance()))
                .build();
        String[] address = System.getenv().getOrDefault("LISTEN", "0.0.0.0:50051").split(":");
        NettyServerBuilder.forAddress(new InetSocketAddress(address[0], Integer.parseInt(address[1])))
            .addService(ServerServiceDefinition.builder("aes.Aes")
                .addMethod(method, ServerCalls.asyncUnaryCall(Main::showEncryption)).build())
            .directExecutor()
            .build()
            .start()
            .awaitTermination();
    }
}
